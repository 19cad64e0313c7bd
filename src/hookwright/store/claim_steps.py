"""Claims: what is due, through gates and in batches; and what attempts mean for their endpoints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from typing import NamedTuple

from hookwright.core.announcements import Announcement, is_operational, of_death, of_endpoint, of_expiry
from hookwright.core.errors import Unavailable
from hookwright.core.gates import Gate, admit, opens_at
from hookwright.core.health import Diagnosis, Fared, brought_forward, diagnose, undecided
from hookwright.core.lanes import lane_of
from hookwright.core.lifecycle import succeeded
from hookwright.core.model import (
    Claim,
    Delivery,
    Health,
    Instant,
    Settled,
)
from hookwright.store.base import MOST_COUNTED, NO_CROWD, Backlog, Crowd, Lanes, always
from hookwright.store.batch_steps import BatchSteps, new_batches, next_id
from hookwright.store.endpoint_steps import health_of
from hookwright.store.line_steps import IN_TURN, UNFINISHED, delivery_of, next_in_line, postpone, set_aside
from hookwright.store.matching_steps import GUARDED, TROUBLED
from hookwright.store.queue_steps import QueueKey, earliest_of
from hookwright.store.steps import (
    BATCH,
    Row,
    Statement,
    Step,
    labels,
    load_schedule,
    placeholders,
    reading,
    sql,
    writing,
)

# What a look meets at an endpoint `e`: its status; before an active one a gate, or deliveries that stand in line.
# The placeholder is the endpoint's lane.
WHAT_IT_MEETS = (
    f"CASE WHEN e.status = 'active' AND ({GUARDED} OR EXISTS (SELECT 1 FROM deliveries d WHERE d.lane = {{lane}}"
    f" AND d.endpoint_id = e.id AND {UNFINISHED.format('d')})) THEN 'guarded' ELSE e.status END"
)

# How often a claim that has found something looks again for more: what it has found waits, and its lease runs.
CLAIM_ROUNDS = 10


class Look(NamedTuple):
    """What a look is for: at most so many deliveries, of due endpoints that are not left out."""

    limit: int
    now: Instant
    lease_until: Instant
    crowd: Crowd
    left_out: Sequence[int]

    def shares(self, met: Sequence[Row]) -> list[int]:
        """How many deliveries each of these endpoints may be given: as many as any other, as its crowd leaves."""
        fair = max(1, self.limit // max(1, len(met)))
        return [min(fair, self.crowd.left(row["endpoint_id"])) for row in met]


class Found(NamedTuple):
    """What one look came to: what is ours now, and the endpoints it met."""

    claims: list[Claim]
    met: set[int]
    used_up: set[int]  # got their whole share, so there may be more
    guarded: dict[QueueKey, int]  # with a gate, batches or lines; how many requests may go to each
    deleted: list[QueueKey]


def found_by(look: Look, met: Sequence[Row], looked_at: Sequence[Row]) -> Found:
    """What a look came to, by the endpoints that it met and the deliveries of free ones that it took or set aside."""
    shares = dict(zip((row["endpoint_id"] for row in met), look.shares(met), strict=True))
    taken = Counter(row["endpoint_id"] for row in looked_at)
    return Found(
        claims=[claim_of(row, row["fence"]) for row in looked_at if not row["expired"]],
        met=set(shares),
        used_up={endpoint_id for endpoint_id, number in taken.items() if number >= shares[endpoint_id]},
        guarded={_key_of(row): shares[row["endpoint_id"]] for row in met if row["meets"] == "guarded"},
        deleted=[_key_of(row) for row in met if row["meets"] == "deleted"],
    )


def of_all(found: Sequence[Found]) -> Found:
    """What looks at different lanes came to, together."""
    return Found(
        claims=[claim for each in found for claim in each.claims],
        met=set().union(*(each.met for each in found)),
        used_up=set().union(*(each.used_up for each in found)),
        guarded={key: most for each in found for key, most in each.guarded.items()},
        deleted=[key for each in found for key in each.deleted],
    )


def _key_of(row: Row) -> QueueKey:
    return row["lane"], row["endpoint_id"]


class ClaimSteps(BatchSteps):
    """Take what is due, and note how it went."""

    # Endpoints that failed when an outcome of theirs was last noted here. Who holds a lane notes all that is in it.
    _failing: set[int]

    async def claim(
        self,
        limit: int,
        now: Instant,
        lease_until: Instant,
        lanes: Lanes = None,
        crowd: Crowd = NO_CROWD,
        may_go_on: Callable[[], bool] = always,
    ) -> list[Claim]:
        """See Store. What one look leaves of the limit is shared out by another, among those that have more."""
        claims: list[Claim] = []
        left_out = crowd.full()
        own = self._every(lanes)
        rounds = 0
        while len(claims) < limit and not (claims and (rounds >= CLAIM_ROUNDS or not may_go_on())):
            look = Look(limit - len(claims), now, lease_until, _with_claims(crowd, claims), sorted(left_out))
            try:
                found = await self._claim_some(look, own)
                claims += found.claims
                for (lane, endpoint_id), most in found.guarded.items():
                    claims += await self._claim_guarded(lane, endpoint_id, most, now, lease_until)
                    # After one of them at least, or they would never have a turn beside a flood to others. Those that
                    # are left keep their places in the queue.
                    if claims and not may_go_on():
                        break
                for lane, endpoint_id in found.deleted:
                    await self._cancel_forgotten(lane, endpoint_id, now)
                    if claims and not may_go_on():
                        break
            except Unavailable:
                if claims:
                    return claims
                raise
            rounds += 1
            left_out |= (found.met - found.used_up) | _with_claims(crowd, claims).full()
            if len(found.met) < look.limit and not found.used_up - left_out:
                break
        return claims

    @writing
    def _cancel_forgotten(self, lane: int, endpoint_id: int, now: Instant) -> Step[int]:
        return (yield from self.cancel_some(lane, endpoint_id, now))

    @writing
    def _claim_guarded(
        self, lane: int, endpoint_id: int, most: int, now: Instant, lease_until: Instant
    ) -> Step[list[Claim]]:
        """Up to `most` requests for an endpoint with a brake on, with lines, or that takes several events at once."""
        # Held, so that only one worker at a time goes through the gate, makes batches and sees whose turn it is.
        rows = yield sql(f"SELECT * FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane, endpoint_id)
        if rows[0]["status"] != "active":
            return []
        if (open_again := opens_at(rows[0]["breaker_open_until"], now)) > now:
            yield from self.put_back(lane, endpoint_id, open_again)
            return []
        due = yield sql(
            f"SELECT d.id, d.dialect_event, d.batch_id, LENGTH(p.body) AS size, d.expires_at, {IN_TURN} AS in_turn,"
            " d.expires_at <= $3 AS expired FROM deliveries d JOIN payloads p"
            " ON p.lane = $1 AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
            " WHERE d.lane = $1 AND d.endpoint_id = $2 AND d.status = 'pending' AND d.due_at <= $3"
            f" ORDER BY d.due_at, d.id LIMIT {BATCH}",
            lane,
            endpoint_id,
            now,
        )
        new = [row for row in due if row["batch_id"] is None]
        # What has expired is left to `expire`.
        if aside := [row["id"] for row in new if row["expired"] or not row["in_turn"]]:
            yield set_aside(lane, *self.among(2, aside))
        in_turn = [row for row in new if row["in_turn"] and not row["expired"]]
        batches = new_batches(in_turn, rows[0]["batch_limit"], is_cut=len(due) == BATCH)
        batches |= yield from self.known_batches(lane, due, now)
        batches = dict(sorted(batches.items(), key=lambda batch: batch[1][0]))
        gate = yield from _gate(rows[0])
        admission = admit(gate, list(batches)[:most], now)
        if admission.gate != gate:
            yield _keep_gate(lane, endpoint_id, admission.gate)
        claims: list[Claim] = []
        for batch_id in admission.go:
            claims += yield from self._claim_batch(
                lane, batch_id, batches[batch_id], rows[0]["batch_limit"], lease_until
            )
        for until, ids in _by_time(admission.wait, batches).items():
            yield postpone(lane, until, *self.among(3, ids))
        yield from self.put_back(lane, endpoint_id, opens_at(admission.gate.breaker_open_until, now))
        return claims

    def _claim_batch(
        self, lane: int, batch_id: int, ids: Sequence[int], limit: int, lease_until: Instant
    ) -> Step[list[Claim]]:
        among, values = self.among(5, ids)
        # Some may be others' by now: a look that does not hold the endpoint's row claims as soon as a breaker closes.
        taken = yield sql(
            "UPDATE deliveries SET status = 'in_flight', fence = fence + 1, lease_until = $2, due_at = NULL,"
            f" batch_id = $3, batch_size = $4 WHERE lane = $1 AND id {among} AND status = 'pending' RETURNING id",
            lane,
            lease_until,
            batch_id if limit > 1 else None,
            len(ids) if limit > 1 else None,
            *values,
        )
        if not taken:
            return []
        among, values = self.among(2, [row["id"] for row in taken])
        rows = yield sql(
            f"SELECT d.*, e.url, e.retry_schedule, e.sealed_headers, e.signature, {TROUBLED} AS troubled, p.body,"
            " v.occurred_at, v.traceparent FROM deliveries d"
            " JOIN endpoints e ON e.lane = $1 AND e.id = d.endpoint_id"
            " JOIN payloads p ON p.lane = $1 AND p.event_id = d.event_id AND p.ordinal = d.ordinal"
            " JOIN events v ON v.lane = $1 AND v.id = d.event_id"
            f" WHERE d.lane = $1 AND d.id {among}",
            lane,
            *values,
        )
        return [claim_of(row, row["fence"]) for row in rows]

    async def _claim_some(self, look: Look, lanes: Sequence[int]) -> Found:
        raise NotImplementedError

    def _every(self, lanes: Lanes) -> Sequence[int]:
        return range(self.lane_count) if lanes is None else lanes

    async def expire(self, now: Instant, lanes: Lanes = None) -> list[Delivery]:
        """See Store. An endpoint at a time, each its own transaction."""
        dead: list[Delivery] = []
        try:
            while found := await self._expired(now, self._every(lanes)):
                for (lane, endpoint_id), ids in found.items():
                    dead += await self._expire_some(lane, endpoint_id, ids, now)
        except Unavailable:
            # Those that died are on disk and are answered by no later call.
            if not dead:
                raise
        return dead

    @reading
    def _expired(self, now: Instant, lanes: Sequence[int]) -> Step[dict[tuple[int, int], list[int]]]:
        if not lanes:
            return {}
        # Many lanes at once; the index holds only what may expire.
        rows = yield sql(
            "SELECT lane, endpoint_id, id FROM deliveries WHERE status = 'pending' AND expires_at <= $1"
            f" AND lane IN ({placeholders(2, lanes)}) ORDER BY expires_at LIMIT {BATCH}",
            now,
            *labels(lanes),
        )
        by_endpoint: dict[tuple[int, int], list[int]] = {}
        for row in rows:
            by_endpoint.setdefault((row["lane"], row["endpoint_id"]), []).append(row["id"])
        return by_endpoint

    @writing
    def _expire_some(self, lane: int, endpoint_id: int, ids: Sequence[int], now: Instant) -> Step[list[Delivery]]:
        endpoint = yield sql(f"SELECT url FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane, endpoint_id)
        among, values = self.among(3, ids)
        rows = yield sql(
            "UPDATE deliveries SET status = 'dead', due_at = NULL, finished_at = $2, last_error = 'expired'"
            f" WHERE lane = $1 AND id {among} AND status = 'pending' RETURNING *",
            lane,
            now,
            *values,
        )
        is_due = yield from next_in_line(lane, endpoint_id, (row["line"] for row in rows), now)
        dead = [delivery_of(row) for row in rows]
        told = [of_expiry(each, endpoint[0]["url"], now) for each in dead if not is_operational(each.event_type)]
        yield from _announce(told)
        yield from self.queue_up({(lane, endpoint_id): now} if is_due else {})
        return dead

    async def rescue(self, now: Instant, lanes: Lanes = None) -> int:
        """See Store. In batches, each its own transaction."""
        rescued = 0
        for together in self.lanes_of_one_statement(self._every(lanes)):
            number = BATCH
            while number == BATCH:
                number = await self._rescue_some(now, together)
                rescued += number
        return rescued

    async def _rescue_some(self, now: Instant, lanes: Sequence[int]) -> int:
        raise NotImplementedError

    @reading
    def backlog(self, now: Instant) -> Step[Backlog]:
        # Each walks an index that holds nothing else, and no further than the bound.
        due, oldest = 0, []
        for lane in labels(range(self.lane_count)):
            waiting = yield sql(
                "SELECT COUNT(*) AS number,"
                " (SELECT MIN(due_at) FROM queues WHERE lane = $1 AND due_at <= $2) AS oldest"
                " FROM (SELECT 1 FROM queues q JOIN deliveries d ON d.lane = $1 AND d.endpoint_id = q.endpoint_id"
                " WHERE q.lane = $1 AND q.due_at <= $2 AND d.status = 'pending' AND d.due_at <= $2 LIMIT $3"
                ") AS waiting",
                lane,
                now,
                max(1, MOST_COUNTED - due),  # where nothing is to be counted any more, still the oldest is looked at
            )
            due = min(MOST_COUNTED, due + int(waiting[0]["number"]))
            if waiting[0]["number"]:
                oldest.append(int(waiting[0]["oldest"]))
        # Every lane at once: there are never many of these.
        breakers = yield sql(
            "SELECT COUNT(*) AS number, COUNT(CASE WHEN probing OR breaker_open_until <= $1 THEN 1 END) AS half_open"
            " FROM (SELECT probing, breaker_open_until FROM endpoints"
            " WHERE breaker_open_until IS NOT NULL AND status = 'active' LIMIT $2) AS troubled",
            now,
            MOST_COUNTED,
        )
        half_open = int(breakers[0]["half_open"])
        return Backlog(
            due=due,
            oldest_due_at=min(oldest, default=None),
            breakers_open=int(breakers[0]["number"]) - half_open,
            breakers_half_open=half_open,
        )

    def _note_outcomes(self, written: Sequence[Settled], now: Instant) -> Step[None]:
        """What attempts mean for their endpoints, what is to be told of them, and who is to be sent to again.

        The last part of settling, since rows of `queues` are locked last.
        """
        told = [of_death(each, now) for each in written if each.settlement.status == "dead" and _counts(each)]
        by_endpoint: dict[int, list[Settled]] = {}
        for each in written:
            by_endpoint.setdefault(each.claim.endpoint_id, []).append(each)
        due = [(_queue_of(each), each.settlement.due_at) for each in written]
        for endpoint_id in sorted(by_endpoint):  # in one order everywhere, so that two settlements cannot deadlock
            settled = by_endpoint[endpoint_id]
            announced, may_go_at = yield from self._note_endpoint(settled, now)
            told += announced
            due.append((_queue_of(settled[0]), may_go_at))
            if (yield from next_in_line(lane_of(endpoint_id), endpoint_id, map(_ended_line, settled), now)):
                due.append((_queue_of(settled[0]), now))
        yield from _announce(told)
        yield from self.queue_up(earliest_of([(key, due_at) for key, due_at in due if due_at is not None]))

    def _note_endpoint(
        self, settled: Sequence[Settled], now: Instant
    ) -> Step[tuple[list[Announcement], Instant | None]]:
        """Answers what is to be told, and when what a breaker held back may go, if that is sooner than it was."""
        claim = settled[0].claim
        lane = lane_of(claim.endpoint_id)
        rows = yield sql(f"SELECT * FROM endpoints WHERE lane = $1 AND id = $2 {self.ALONE}", lane, claim.endpoint_id)
        before = health_of(rows[0])
        counted = _one_for_each_request([each for each in settled if _counts(each)])
        diagnosis = diagnose(before, [_fared(each) for each in counted], now)
        if not counted:
            diagnosis = Diagnosis(health=undecided(before, now))
        if diagnosis.health.failing_since is None:
            self._failing.discard(claim.endpoint_id)
        else:
            self._failing.add(claim.endpoint_id)
        if diagnosis.health != before:
            yield _keep_health(lane, claim.endpoint_id, diagnosis.health)
        # Not by the 410 of an operational event: nobody could be told why.
        gone = next((each for each in counted if each.settlement.disable_reason is not None), None)
        reason = gone.settlement.disable_reason if gone else "failing" if "disabled" in diagnosis.changes else None
        disabled = rows[0]["status"] == "active" and reason is not None
        if disabled:
            yield sql(
                "UPDATE endpoints SET status = 'disabled', status_reason = $3, status_changed_at = $4,"
                " missed_since = COALESCE(missed_since, $5), updated_at = $4 WHERE lane = $1 AND id = $2",
                lane,
                claim.endpoint_id,
                reason,
                now,
                diagnosis.health.failing_since or now,
            )
        changes = [change for change in diagnosis.changes if change != "disabled"]
        why = {"warned": "failing"}
        told = [of_endpoint(change, counted[-1], diagnosis.health, why.get(change), now) for change in changes]
        if disabled:
            told.append(of_endpoint("disabled", counted[-1], diagnosis.health, reason, now))
        return told, brought_forward(before, diagnosis.health, now)

    @reading
    def announcements(self, limit: int, lanes: Lanes = None) -> Step[list[Announcement]]:
        own = self._every(lanes)
        if not own:
            return []
        # Many lanes at once: there are few of them.
        rows = yield sql(
            f"SELECT * FROM announcements WHERE lane IN ({placeholders(2, own)}) ORDER BY created_at, id LIMIT $1",
            limit,
            *labels(own),
        )
        return [
            Announcement(
                id=row["id"],
                account_id=row["account_id"],
                type=row["type"],
                data=row["data"],
                created_at=row["created_at"],
            )
            for row in rows
        ]

    @writing
    def delete_announcement(self, announcement: Announcement) -> Step[None]:
        yield sql("DELETE FROM announcements WHERE lane = $1 AND id = $2", lane_of(announcement.id), announcement.id)


def worth_noting(settled: Sequence[Settled], failing: Set[int]) -> list[Settled]:
    """Those that may change their endpoint's health, are to be repeated, end a wait, or are to be told of.

    Most succeed at healthy endpoints, and are not. A success at one that fails is, though it was claimed while all
    was well: without it the failures before and after it would be failures in a row.
    """
    failed = {each.claim.endpoint_id for each in settled if not succeeded(each.outcome)}
    return [
        each
        for each in settled
        if _needs_noting(each) or each.claim.endpoint_id in failed or each.claim.endpoint_id in failing
    ]


def _needs_noting(each: Settled) -> bool:
    return (
        not succeeded(each.outcome)
        or each.settlement.status == "pending"
        or each.claim.troubled
        or each.settlement.disable_reason is not None
        or _ended_line(each) is not None
    )


def _queue_of(each: Settled) -> QueueKey:
    return lane_of(each.claim.endpoint_id), each.claim.endpoint_id


def _with_claims(crowd: Crowd, claims: Sequence[Claim]) -> Crowd:
    """The crowd with these on their way too. What goes out together is one request."""
    requests = {each.batch_id or each.delivery_id: each.endpoint_id for each in claims}
    return crowd.with_more(requests.values())


def _ended_line(each: Settled) -> str | None:
    """The line in which it is now another's turn."""
    return None if each.settlement.status == "pending" else each.claim.line


def _counts(each: Settled) -> bool:
    return not is_operational(each.claim.event_type)


def _fared(each: Settled) -> Fared:
    if succeeded(each.outcome):
        return "succeeded"
    return "failed" if each.settlement.may_disable else "forgiven"


def _one_for_each_request(settled: Sequence[Settled]) -> list[Settled]:
    """What went out together counts once: a failed batch of a hundred is one failure in a row, not a hundred."""
    return list({each.claim.batch_id or each.claim.delivery_id: each for each in settled}.values())


def _keep_health(lane: int, endpoint_id: int, health: Health) -> Statement:
    return sql(
        "UPDATE endpoints SET failing_since = $3, failed_at = $4, failures = $5, warned_percent = $6,"
        " breaker_open_until = $7, probing = $8 WHERE lane = $1 AND id = $2",
        lane,
        endpoint_id,
        health.failing_since,
        health.failed_at,
        health.failures,
        health.warned_percent,
        health.breaker_open_until,
        health.probing,
    )


def _announce(told: Sequence[Announcement]) -> Step[None]:
    # The rows of their lanes are locked in one order everywhere, so that two settlements cannot deadlock.
    for announcement in sorted(told, key=lambda each: lane_of(each.account_id)):
        lane = lane_of(announcement.account_id)
        id = yield from next_id(lane)
        yield sql(
            "INSERT INTO announcements (lane, id, account_id, type, data, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            lane,
            id,
            announcement.account_id,
            announcement.type,
            announcement.data,
            announcement.created_at,
        )


def _gate(row: Row) -> Step[Gate]:
    in_flight = 0
    if row["max_in_flight"] is not None:
        # By the leases, of which there are never many, rather than through the endpoint's whole history.
        found = yield sql(
            "SELECT COUNT(DISTINCT COALESCE(batch_id, id)) AS number FROM deliveries"
            " WHERE lane = $1 AND endpoint_id = $2 AND status = 'in_flight' AND lease_until > 0",
            row["lane"],
            row["id"],
        )
        in_flight = int(found[0]["number"])
    return Gate(
        max_in_flight=row["max_in_flight"],
        in_flight=in_flight,
        rate_per_second=row["rate_per_second"],
        rate_free_at=row["rate_free_at"],
        breaker_open_until=row["breaker_open_until"],
        probing=bool(row["probing"]),
    )


def _keep_gate(lane: int, endpoint_id: int, gate: Gate) -> Statement:
    return sql(
        "UPDATE endpoints SET rate_free_at = $3, breaker_open_until = $4, probing = $5 WHERE lane = $1 AND id = $2",
        lane,
        endpoint_id,
        gate.rate_free_at,
        gate.breaker_open_until,
        gate.probing,
    )


def _by_time(wait: Mapping[int, Instant], batches: Mapping[int, Sequence[int]]) -> dict[Instant, list[int]]:
    """The deliveries of the batches that are to wait, by until when."""
    ids: dict[Instant, list[int]] = {}
    for batch_id, until in wait.items():
        ids.setdefault(until, []).extend(batches[batch_id])
    return ids


def claim_of(row: Row, fence: int) -> Claim:
    """A claim, from a row of its delivery with what else is needed to send it."""
    return Claim(
        delivery_id=row["id"],
        fence=fence,
        account_id=row["account_id"],
        event_id=str(row["event_id"]),
        event_type=row["event_type"],
        occurred_at=row["occurred_at"],
        created_at=row["created_at"],
        endpoint_id=row["endpoint_id"],
        dialect=row["dialect"],
        dialect_event=row["dialect_event"],
        ordinal=row["ordinal"],
        url=row["url"],
        body=row["body"],
        attempt=row["attempts"] + 1,
        round_attempt=row["attempts"] + 1 - row["round_start"],
        retry_schedule=load_schedule(row["retry_schedule"]),
        sealed_headers=row["sealed_headers"],
        signature=row["signature"],
        batch_id=row["batch_id"],
        troubled=bool(row["troubled"]),
        traceparent=row["traceparent"],
        line=row["line"],
    )
