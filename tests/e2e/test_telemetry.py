"""What a real process tells of a delivery that fails, is retried and dies: everything but what is secret."""

from pathlib import Path
from typing import Any

import httpx

from e2e.conftest import Environ, publisher_for
from e2e.test_process import url_of
from hookwright.app import open_services
from hookwright.config import load_settings
from hookwright.testing.receiver import Receiver
from processes import hookwright

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"

# Every id, number and decision.
TOLD = {
    "account_id", "endpoint_id", "delivery_id", "event_id", "message_id", "batch_id", "trace_id",
    "event_type", "dialect", "dialect_event",
    "fence", "attempt", "round_attempt", "schedule_length",
    "accepted_at", "started_at", "duration_ms", "request_bytes",
    "status_code", "error", "retry_after_seconds", "status", "next_attempt_at", "disable_reason",
    "event", "level", "timestamp",
}  # fmt: skip


async def test_a_log_that_nobody_reads_stops_no_delivery(environ: Environ, tmp_path: Path) -> None:
    # Some 700 KB of lines: more than the pipe and what our end of it reads ahead.
    events = 1_000
    async with Receiver() as receiver:
        publisher = await publisher_for(environ, receiver.url)
        async with hookwright("serve", environ=environ, folder=tmp_path) as server:
            url = await url_of(server)
            event = {
                "type": "contact.activated",
                "account": publisher.account_id,
                "data": {"contact": {"id": 1, "email": "ada@example.com"}},
            }
            headers = {"Authorization": f"Bearer {publisher.key}"}
            async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
                for _ in range(events // 100):
                    answer = await client.post("/api/v1/events/batch", json={"events": [event] * 100})
                    assert answer.status_code == 202, answer.text
            await receiver.wait_for(events, timeout=30)
            for _ in range(events):
                await server.logged("attempt")
            assert await server.stop() == 0


async def test_an_attempt_is_one_line_with_all_that_may_be_told(environ: Environ, tmp_path: Path) -> None:
    environ = {**environ, "HOOKWRIGHT_RETRY_SCHEDULE": "0,0,0", "HOOKWRIGHT_LOG_LEVEL": "debug"}
    async with Receiver() as receiver:
        receiver.answer(500, b"credential-in-answer")
        target = f"{receiver.url}/credential-in-path?token=credential-in-query"
        publisher = await publisher_for(environ, target)
        async with hookwright("serve", environ=environ, folder=tmp_path) as server:
            url = await url_of(server)
            headers = {"Authorization": f"Bearer {publisher.key}", "traceparent": TRACEPARENT}
            body = {
                "type": "contact.activated",
                "account": publisher.account_id,
                "data": {"contact": {"id": 1, "email": "ada@example.com"}},
            }
            async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client:
                accepted = (await client.post("/api/v1/events", json=body)).json()
                assert accepted["deliveries"] == 1
                lines: list[dict[str, Any]] = [await server.logged("attempt") for _ in range(3)]
                receiver.answer(200, b"")
                async with open_services(load_settings(environ)) as services:
                    await services.store.replay(lines[0]["delivery_id"], services.clock.now())
                lines.append(await server.logged("attempt"))
                metrics = (await client.get("/metrics")).text
            assert await server.stop() == 0

    assert [set(line) for line in lines] == [TOLD] * 4
    assert [(line["attempt"], line["round_attempt"], line["fence"], line["status"]) for line in lines] == [
        (1, 1, 1, "pending"),
        (2, 2, 2, "pending"),
        (3, 3, 3, "dead"),
        (4, 1, 4, "delivered"),
    ]
    assert {(line["event_id"], line["trace_id"], line["schedule_length"]) for line in lines} == {
        (accepted["event_id"], TRACE_ID, 3)
    }
    assert 'hookwright_attempts_total{dialect="kit",outcome="failed"} 3.0' in metrics
    assert 'hookwright_deliveries_dead_total{dialect="kit"} 1.0' in metrics
    signatures = {request.headers["webhook-signature"] for request in receiver.requests}
    for secret in ("credential", "ada@example.com", "whsec_", publisher.key, *signatures):
        assert secret not in "".join(server.errors)
