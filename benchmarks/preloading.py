"""Rows by the hundred thousand, copied in SQL from rows that the server itself made: endpoints, and what waits.

A copy overrides a few columns of its model and keeps the rest, whatever columns there are.
"""

from __future__ import annotations

from base64 import b64decode

import asyncpg

from benchmarks.publishing import Aim
from benchmarks.server import MASTER_KEY
from hookwright.ambient import new_signing_key
from hookwright.core.lanes import LANE_COUNT, lane_of
from hookwright.core.model import DAY, SECOND, Binding
from hookwright.vault import Vault

DELIVERIES_PER_EVENT = 10
PAUSED_SHARE = 0.1  # of the endpoints; they stand in no queue
FIRST_RETRY_IN = 4 * 3600 * SECOND  # far enough for the longest run; what became due would be sent


async def copy_endpoints(database_url: str, model: Aim, url: str, count: int, *, routed: bool) -> list[Aim]:
    """`count` further endpoints of the model's account, numbered in their paths, each with a signing secret.

    Routed ones each want the tag of their own number; the others want what the model wants.
    """
    db = await asyncpg.connect(database_url)
    try:
        async with db.transaction():
            first = await _take_counters(db, model.account_id, 2 * count)
            values = (lane_of(model.account_id), model.account_id, count, first)
            await db.execute(_ENDPOINTS, *values, f"{url}/{model.account_id}-")
            await db.execute(_SUBSCRIPTIONS, *values, routed)
            await db.execute(_SECRETS, *values)
            await _seal_anew(db, model.account_id)
            await db.execute(_SUBSCRIPTIONS_CHANGED, *values[:2])
    finally:
        await db.close()
    account_id = model.account_id
    return [Aim(account_id, f"{account_id}-{number}", number if routed else model.tag) for number in range(count)]


async def pause_some(database_url: str, aims: list[Aim]) -> list[Aim]:
    """Pause the last of an account's copied endpoints. Answers those that are still active."""
    active = round(len(aims) * (1 - PAUSED_SHARE))
    db = await asyncpg.connect(database_url)
    try:
        await db.execute(_PAUSE, lane_of(aims[0].account_id), aims[0].account_id, active)
    finally:
        await db.close()
    return aims[:active]


async def copy_pending(database_url: str, model: Aim, count: int) -> None:
    """`count` pending deliveries with their events, payloads and a first attempt that was answered 503.

    They are copies of the one delivery of the model's endpoint and wait for the copied endpoints of its account: the
    active ones' for a retry in the next day, the paused ones' for an activation.
    """
    db = await asyncpg.connect(database_url, command_timeout=600)
    try:
        async with db.transaction():
            first = await _take_counters(db, model.account_id, count)
            events = -(-count // DELIVERIES_PER_EVENT)
            values = (lane_of(model.account_id), model.account_id)
            await db.execute(_NEW_EVENT_IDS.format(events=events), model.account_id % LANE_COUNT)
            await db.execute(_EVENTS, *values)
            await db.execute(_PAYLOADS, *values)
            await db.execute(_DELIVERIES, *values, count, first, FIRST_RETRY_IN, DAY, DELIVERIES_PER_EVENT)
            await db.execute(_QUEUES, *values)
            await db.execute(_ATTEMPTS, *values, count, first)
            await db.execute("DROP TABLE new_events")
    finally:
        await db.close()


async def tidy(database_url: str) -> None:
    """Leave the database as autovacuum would after a while, so that it does not do so while we measure."""
    db = await asyncpg.connect(database_url, command_timeout=600)
    try:
        await db.execute("VACUUM (ANALYZE)")
        await db.execute("CHECKPOINT")
    finally:
        await db.close()


async def _take_counters(db: asyncpg.Connection, account_id: int, count: int) -> int:
    """The first of so many counters of the account's lane, as the store takes them for its ids."""
    end = await db.fetchval(
        "UPDATE lanes SET next_counter = next_counter + $2 WHERE lane = $1 RETURNING next_counter",
        lane_of(account_id),
        count,
    )
    return int(end) - count


async def _seal_anew(db: asyncpg.Connection, account_id: int) -> None:
    """Give each endpoint of an account a signing secret that opens: a copied one is bound to its model."""
    lane = lane_of(account_id)
    vault = Vault(b64decode(MASTER_KEY))
    rows = await db.fetch(
        "SELECT id, endpoint_id FROM signing_secrets WHERE lane = $1 AND account_id = $2", lane, account_id
    )
    bindings = [Binding("signing secret", account_id, row["endpoint_id"]) for row in rows]
    sealed = [vault.seal(binding, new_signing_key()) for binding in bindings]
    await db.execute(
        "UPDATE signing_secrets s SET sealed = u.sealed FROM unnest($2::bigint[], $3::bytea[]) AS u (id, sealed)"
        " WHERE s.lane = $1 AND s.id = u.id",
        lane,
        [row["id"] for row in rows],
        sealed,
    )


# $1 lane, $2 account, $3 count, $4 first counter. The model is the account's first endpoint.
_COPIES = f"""
FROM endpoints AS model
JOIN (SELECT number, ($4::bigint + number) * {LANE_COUNT} + $2 % {LANE_COUNT} AS id,
                   ($4::bigint + $3 + number) * {LANE_COUNT} + $2 % {LANE_COUNT} AS second_id
            FROM generate_series(0, $3::bigint - 1) AS number) AS copy
ON model.lane = $1 AND model.id = (SELECT min(id) FROM endpoints WHERE lane = $1 AND account_id = $2)
"""

# They were last changed a minute before their model. What is born for an endpoint within a second of a change of it
# is read again before it is sent; nobody changes ten thousand in that second.
_ENDPOINTS = f"""
INSERT INTO endpoints SELECT row.* {_COPIES}
CROSS JOIN LATERAL jsonb_populate_record(model, jsonb_build_object(
    'id', copy.id, 'url', $5 || copy.number, 'updated_at', model.updated_at - 60000000)) AS row
"""

# All but the model and the first $3 copies, whose ids are in the order of their numbers.
_PAUSE = """
UPDATE endpoints SET status = 'paused' WHERE lane = $1 AND id IN (
    SELECT id FROM endpoints WHERE lane = $1 AND account_id = $2 ORDER BY id OFFSET 1 + $3::bigint)
"""

_SUBSCRIPTIONS = f"""
INSERT INTO subscriptions SELECT row.* {_COPIES}
JOIN subscriptions s ON s.lane = $1 AND s.endpoint_id = model.id
CROSS JOIN LATERAL jsonb_populate_record(s, jsonb_build_object(
    'endpoint_id', copy.id, 'resource', CASE WHEN $5 THEN copy.number::text ELSE s.resource END)) AS row
"""

# Servers keep an account's subscriptions in memory as long as this number stays.
_SUBSCRIPTIONS_CHANGED = """
UPDATE accounts SET subscriptions_version = subscriptions_version + 1 WHERE lane = $1 AND id = $2
"""

_SECRETS = f"""
INSERT INTO signing_secrets SELECT row.* {_COPIES}
JOIN signing_secrets k ON k.lane = $1 AND k.account_id = $2 AND k.endpoint_id = model.id
CROSS JOIN LATERAL jsonb_populate_record(k, jsonb_build_object('id', copy.second_id, 'endpoint_id', copy.id)) AS row
"""

# UUIDs of version 7 whose last six bits are the lane, a millisecond apart.
_NEW_EVENT_IDS = """
CREATE TEMPORARY TABLE new_events AS
SELECT number, (lpad(to_hex((EXTRACT(epoch FROM now()) * 1000)::bigint - {events} + number), 12, '0')
       || '7' || substr(md5(number::text), 1, 3) || '8' || substr(md5(number::text), 4, 13)
       || lpad(to_hex($1::int), 2, '0'))::uuid AS id
FROM generate_series(0, {events} - 1) AS number
"""

# The account's first delivery, beside each of …
_MODEL_DELIVERY = (
    "deliveries AS model"
    " JOIN {each} ON model.lane = $1"
    " AND model.id = (SELECT min(id) FROM deliveries WHERE lane = $1 AND account_id = $2)"
)
_EACH_EVENT = _MODEL_DELIVERY.format(each="new_events AS n")
_EACH_DELIVERY = _MODEL_DELIVERY.format(each="generate_series(0, $3::bigint - 1) AS number")

_EVENTS = f"""
INSERT INTO events SELECT row.* FROM {_EACH_EVENT}
JOIN events e ON e.lane = $1 AND e.id = model.event_id
CROSS JOIN LATERAL jsonb_populate_record(e, jsonb_build_object('id', n.id)) AS row
"""

_PAYLOADS = f"""
INSERT INTO payloads SELECT row.* FROM {_EACH_EVENT}
JOIN payloads p ON p.lane = $1 AND p.event_id = model.event_id AND p.ordinal = model.ordinal
CROSS JOIN LATERAL jsonb_populate_record(p, jsonb_build_object('event_id', n.id)) AS row
"""

# $5 the earliest retry from now, $6 within how long they are spread, both in µs; $7 how many deliveries an event has.
_DELIVERIES = f"""
INSERT INTO deliveries SELECT row.*
FROM {_EACH_DELIVERY}
JOIN new_events n ON n.number = number.number / $7
JOIN (SELECT id, status, row_number() OVER (ORDER BY id) - 1 AS place, count(*) OVER () AS many
      FROM endpoints WHERE lane = $1 AND account_id = $2) AS e ON e.place = 1 + number.number % (e.many - 1)
CROSS JOIN LATERAL jsonb_populate_record(model, jsonb_build_object(
    'id', ($4::bigint + number.number) * {LANE_COUNT} + $2 % {LANE_COUNT}, 'event_id', n.id, 'endpoint_id', e.id,
    'status', 'pending', 'attempts', 1, 'finished_at', NULL, 'last_status_code', 503, 'due_at',
    (EXTRACT(epoch FROM now()) * 1000000)::bigint + $5::bigint + (random() * $6::bigint)::bigint)) AS row
"""

_QUEUES = """
INSERT INTO queues SELECT d.lane, d.endpoint_id, min(d.due_at)
FROM deliveries d JOIN endpoints e ON e.lane = d.lane AND e.id = d.endpoint_id
WHERE d.lane = $1 AND d.account_id = $2 AND d.status = 'pending' AND e.status = 'active'
GROUP BY d.lane, d.endpoint_id ON CONFLICT (lane, endpoint_id) DO UPDATE SET due_at = excluded.due_at
"""

_ATTEMPTS = f"""
INSERT INTO attempts SELECT row.* FROM {_EACH_DELIVERY}
JOIN attempts a ON a.lane = $1 AND a.delivery_id = model.id
CROSS JOIN LATERAL jsonb_populate_record(a, jsonb_build_object(
    'delivery_id', ($4::bigint + number.number) * {LANE_COUNT} + $2 % {LANE_COUNT}, 'status_code', 503)) AS row
"""
