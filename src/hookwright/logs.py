"""Log lines: one for each fact, to standard error, as JSON or for people."""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog

from hookwright.core.secret_shapes import without_secrets
from hookwright.log_writer import LineWriter

EACH = "each"  # the field of an event that is told of many things at once: the fields of each


class Writer(Protocol):
    """Where rendered lines go."""

    def write(self, line: str, /) -> None: ...


def configure_logs(
    level: str, form: str, renderer: structlog.types.Processor | None = None, writer: Writer | None = None
) -> None:
    """Send every log line of this process through one renderer: that of a form ("json", "console") or one given.

    They go to standard error unless a writer is given.
    """
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer = renderer or _renderer_of(form)
    writer = writer or LineWriter(
        sys.stderr, lambda lost: _render(shared, renderer, "warning", "log lines lost", lines=lost)
    )
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            _without_secrets,
            _one_line_for_each(renderer),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: LineLogger(writer),
        cache_logger_on_first_use=True,
    )
    _take_over_standard_logging(level, shared, renderer, writer)


def log_beside_output(level: str) -> None:
    """Send log lines, for people, to whatever standard error is when they are written: output may be a document."""
    structlog.configure(
        # Not structlog's own, whose tracebacks print the local variables.
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _without_secrets,
            _renderer_of("console"),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


class LineLogger:
    """What structlog hands rendered lines to, by the name of their level."""

    def __init__(self, writer: Writer) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = writer.write


class LineHandler(logging.Handler):
    """What the standard library hands records to."""

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.write(self.format(record))
        except Exception:
            self.handleError(record)


def render_json(_logger: object, _level: str, event: structlog.typing.EventDict) -> str:
    """A JSON object in ASCII; what JSON has no form for is printed as Python prints it."""
    try:
        line = _encoder.encode(event).decode()
    except (TypeError, ValueError, OverflowError):
        line = ""
    # msgspec is ten times as fast as the standard library, but prints other letters as they are. Some of them are
    # line breaks to some readers (U+2028, U+0085).
    return line if line and line.isascii() else json.dumps(event, default=repr, separators=(",", ":"))


_encoder = msgspec.json.Encoder(enc_hook=repr)


# What others have worded: the text of an exception may hold whatever somebody sent us.
_WORDED_BY_OTHERS = ("event", "error", "exception")


def _without_secrets(_logger: object, _level: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for name in _WORDED_BY_OTHERS:
        if isinstance(text := event.get(name), str) and "_" in text:
            event[name] = without_secrets(text)
    return event


def _one_line_for_each(renderer: structlog.types.Processor) -> structlog.types.Processor:
    """Render an event that is told of many things at once as if each had been logged alone."""

    def render(logger: object, level: str, event: structlog.typing.EventDict) -> str:
        if EACH not in event:
            return str(renderer(logger, level, event))
        each = event.pop(EACH)
        return "\n".join([str(renderer(logger, level, {**fields, **event})) for fields in each])

    return render


def _render(
    shared: Sequence[structlog.types.Processor],
    renderer: structlog.types.Processor,
    level: str,
    text: str,
    **fields: object,
) -> str:
    event: structlog.typing.EventDict = {**fields, "event": text}
    for process in (*shared, renderer):
        event = process(None, level, event)  # type: ignore[assignment] # the last one makes text of it
    return str(event)


def _renderer_of(form: str) -> structlog.types.Processor:
    if form == "json":
        return render_json
    # Plain tracebacks: the decorated ones print the local variables, credentials among them.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def _take_over_standard_logging(
    level: str, shared: list[structlog.types.Processor], renderer: structlog.types.Processor, writer: Writer
) -> None:
    # uvicorn and asyncpg log through the standard library; the same renderer prints their lines.
    handler = LineHandler(writer)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _without_secrets,
                renderer,
            ],
            foreign_pre_chain=shared,
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.WARNING))
