"""A producer's trace goes on through the publish to every attempt, and tells neither payloads nor URLs."""

from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from engine.harness import DIALECT, Engine, running_engine
from hookwright.ambient import MovableClock
from hookwright.core.errors import Invalid
from hookwright.store.base import Store
from hookwright.telemetry.spans import Spans, who_we_are

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"
UNSAMPLED = f"00-{TRACE_ID}-{SPAN_ID}-00"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def engine(sqlite_store: Store, clock: MovableClock, exporter: InMemorySpanExporter) -> AsyncIterator[Engine]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans(provider)
    async with running_engine(sqlite_store, clock, spans) as engine:
        yield engine
    await spans.close()


def spans_named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def span_id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


async def test_every_attempt_follows_from_the_publish_in_the_producers_trace(
    engine: Engine, exporter: InMemorySpanExporter
) -> None:
    endpoint = await engine.endpoint("/catch/token-in-path?token=in-query")
    accepted = await engine.publish(TRACEPARENT)
    engine.receiver.fail_next(1)
    for _ in range(2):
        await engine.worker.tick()
        engine.clock.move(hours=1)

    [publish] = spans_named(exporter, "publish")
    assert publish.parent is not None
    assert (trace_id(publish), f"{publish.parent.span_id:016x}") == (TRACE_ID, SPAN_ID)
    failed, delivered = spans_named(exporter, "attempt")
    for span in (failed, delivered):
        assert span.parent is not None
        assert (trace_id(span), span.parent.span_id) == (TRACE_ID, span_id(publish))
    assert failed.attributes is not None
    assert failed.attributes["error.type"] == "500"
    assert not failed.status.is_ok
    assert dict(delivered.attributes or {}) == {
        "hookwright.delivery_id": (await engine.delivery()).id,
        "hookwright.event_id": accepted.event_id,
        "hookwright.event_type": "contact.created",
        "hookwright.account_id": engine.account.id,
        "hookwright.endpoint_id": endpoint.id,
        "hookwright.dialect": DIALECT,
        "hookwright.dialect_event": "contact.created",
        "hookwright.attempt": 2,
        "messaging.message.id": f"{accepted.event_id}-1",
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
    }
    told = "".join(span.to_json() for span in exporter.get_finished_spans())
    for secret in ("token", "ada@example.com", engine.new_account.signing_secret):
        assert secret not in told


async def test_without_a_producers_trace_a_publish_begins_one(engine: Engine, exporter: InMemorySpanExporter) -> None:
    await engine.endpoint()
    await engine.publish()
    await engine.worker.tick()
    [publish], [attempt] = spans_named(exporter, "publish"), spans_named(exporter, "attempt")
    assert publish.parent is None
    assert trace_id(attempt) == trace_id(publish)


async def test_what_the_producer_does_not_sample_is_not_exported(
    engine: Engine, exporter: InMemorySpanExporter
) -> None:
    await engine.endpoint()
    await engine.publish(UNSAMPLED)
    await engine.worker.tick()
    assert engine.receiver.count == 1
    assert exporter.get_finished_spans() == ()


async def test_a_refused_publish_tells_its_kind_and_not_what_was_sent(
    engine: Engine, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(Invalid):
        await engine.publish(TRACEPARENT, type="no.such_type", data={"contact": "ada@example.com"})
    [publish] = spans_named(exporter, "publish")
    assert (publish.attributes or {})["error.type"] == "Invalid"
    assert publish.events == ()


async def test_receivers_are_not_told_of_the_producers_trace(engine: Engine) -> None:
    await engine.endpoint()
    await engine.publish(TRACEPARENT)
    await engine.worker.tick()
    [request] = engine.receiver.requests
    assert "traceparent" not in request.headers


async def test_without_a_tracer_the_producers_place_is_kept(sqlite_store: Store, clock: MovableClock) -> None:
    async with running_engine(sqlite_store, clock) as engine:
        accepted = await engine.publish(TRACEPARENT)
        event = await engine.store.event(accepted.event_id)
    assert event is not None
    assert event.traceparent == TRACEPARENT


def test_spans_name_their_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_SERVICE_NAME", raising=False)
    assert who_we_are().attributes["service.name"] == "hookwright"
    monkeypatch.setenv("OTEL_SERVICE_NAME", "webhooks")
    assert who_we_are().attributes["service.name"] == "webhooks"
