"""Where log lines go in a test run: to the standard library's logging, which pytest shows with a failed test."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog


@contextmanager
def warnings_to_standard_logging() -> Iterator[None]:
    """Log warnings and what is worse, unless whoever is tested has told structlog what to do."""
    if structlog.is_configured():
        yield
        return
    structlog.configure(
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer(key_order=["event"])],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
