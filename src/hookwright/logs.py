"""Log lines: one for each fact, to standard error, as JSON or for people."""

import logging
import sys

import structlog


def configure_logs(level: str, form: str, renderer: structlog.types.Processor | None = None) -> None:
    """Send every log line of this process through one renderer: that of a form ("json", "console") or one given."""
    timestamper = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        timestamper,
    ]
    renderer = renderer or _renderer_of(form)
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_over_standard_logging(level, shared, renderer)


def log_beside_output(level: str) -> None:
    """Send log lines, for people, to whatever standard error is when they are written: output may be a document."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _renderer_of(form: str) -> structlog.types.Processor:
    if form == "json":
        return structlog.processors.JSONRenderer()
    # Plain tracebacks: the decorated ones print the local variables, credentials among them.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def _take_over_standard_logging(
    level: str, shared: list[structlog.types.Processor], renderer: structlog.types.Processor
) -> None:
    # uvicorn and asyncpg log through the standard library; the same renderer prints their lines.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.WARNING))
