"""Traces through OpenTelemetry: a span for each publish, and one for each request that follows from it.

Nothing that a receiver could be impersonated with leaves: of a URL only the host is told, since paths and queries
often hold credentials. Exceptions are told by the name of their type.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    Span,
    SpanKind,
    StatusCode,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from hookwright import __version__
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import Claim, Outcome
from hookwright.telemetry.traces import TellOutcome

_propagator = TraceContextTextMapPropagator()


class Spans:
    """The Traces protocol on a tracer provider, which is this object's own: no global one is set or used."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("hookwright", __version__)

    @contextmanager
    def publishing(self, traceparent: str | None, events: int) -> Iterator[str | None]:
        """See Traces. What is kept is the span's own place, so that attempts follow from it."""
        span = self._tracer.start_span(
            "publish",
            _context_of(traceparent),
            SpanKind.PRODUCER,
            {"messaging.system": "hookwright", "messaging.batch.message_count": events},
        )
        with _until_done(span):
            yield _traceparent_of(span)

    @contextmanager
    def attempt(self, claims: Sequence[Claim]) -> Iterator[TellOutcome]:
        """See Traces. A batch continues the first event's trace and is linked to the others'."""
        first, *others = claims
        span = self._tracer.start_span(
            "attempt", _context_of(first.traceparent), SpanKind.CLIENT, _ids(first, claims), _links(others)
        )

        def tell(outcome: Outcome) -> None:
            if outcome.status_code is not None:
                span.set_attribute("http.response.status_code", outcome.status_code)
            if not succeeded(outcome):
                span.set_attribute("error.type", outcome.error or str(outcome.status_code))
                span.set_status(StatusCode.ERROR)

        with _until_done(span):
            yield tell

    async def close(self) -> None:
        await asyncio.to_thread(self._provider.shutdown)


def exporting_spans() -> Spans:
    """Spans that go out over OTLP, to where OpenTelemetry's own variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` …)."""
    provider = TracerProvider(resource=who_we_are())
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def who_we_are() -> Resource:
    """What every span says of its service: what `OTEL_SERVICE_NAME` and its kin say, or else our name."""
    named = Resource.create()
    if str(named.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return named.merge(Resource({SERVICE_NAME: "hookwright"}))
    return named


@contextmanager
def _until_done(span: Span) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        span.set_attribute("error.type", type(error).__name__)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()


def _ids(first: Claim, claims: Sequence[Claim]) -> Mapping[str, str | int | Sequence[int]]:
    ids: dict[str, str | int | Sequence[int]] = {
        "hookwright.delivery_id": first.delivery_id,
        "hookwright.event_id": first.event_id,
        "hookwright.event_type": first.event_type,
        "hookwright.account_id": first.account_id,
        "hookwright.endpoint_id": first.endpoint_id,
        "hookwright.dialect": first.dialect,
        "hookwright.dialect_event": first.dialect_event,
        "hookwright.attempt": first.attempt,
        "messaging.message.id": first.message_id,
        "http.request.method": "POST",
        "server.address": urlsplit(first.url).hostname or "",
    }
    if first.batch_id is not None:
        ids["hookwright.batch_id"] = first.batch_id
        ids["hookwright.delivery_ids"] = [claim.delivery_id for claim in claims]
    return ids


def _links(claims: Sequence[Claim]) -> list[Link]:
    contexts = [get_current_span(_context_of(claim.traceparent)).get_span_context() for claim in claims]
    return [Link(context) for context in contexts if context.is_valid]


def _context_of(traceparent: str | None) -> Context:
    """The context of a remote span; without one an empty context, so that a new trace begins."""
    return _propagator.extract({} if traceparent is None else {"traceparent": traceparent}, Context())


def _traceparent_of(span: Span) -> str | None:
    carrier: dict[str, str] = {}
    _propagator.inject(carrier, set_span_in_context(span, Context()))
    return carrier.get("traceparent")
