"""Listeners: what waits for endpoints that fetch, wherever they do and whoever sends."""

from __future__ import annotations

import json

import msgspec

from hookwright.core.lanes import lane_of
from hookwright.core.listening import HeldRequest, ListenersAnswer
from hookwright.core.model import Instant
from hookwright.store.steps import Row, Step, Steps, placeholders, reading, sql, writing


class ListenerSteps(Steps):
    """Hold requests for listeners, hand them out once, take their answers."""

    @writing
    def heard_listener(self, endpoint_id: int, until: Instant) -> Step[None]:
        yield sql(
            "INSERT INTO listeners (lane, endpoint_id, heard_until) VALUES ($1, $2, $3)"
            " ON CONFLICT (lane, endpoint_id) DO UPDATE SET heard_until = excluded.heard_until",
            lane_of(endpoint_id),
            endpoint_id,
            until,
        )

    @writing
    def hold_request(self, request: HeldRequest, now: Instant) -> Step[bool]:
        lane, endpoint_id = lane_of(request.endpoint_id), request.endpoint_id
        # What a worker left that was killed while it waited.
        yield sql(
            "DELETE FROM held_requests WHERE lane = $1 AND endpoint_id = $2 AND expires_at <= $3",
            lane,
            endpoint_id,
            now,
        )
        there = yield sql(
            "SELECT endpoint_id FROM listeners WHERE lane = $1 AND endpoint_id = $2 AND heard_until > $3",
            lane,
            endpoint_id,
            now,
        )
        if not there:
            return False
        yield sql(
            "INSERT INTO held_requests (lane, endpoint_id, id, headers, body, expires_at, fetched)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            lane,
            endpoint_id,
            request.id,
            json.dumps(request.headers),
            request.body,
            request.expires_at,
            False,
        )
        return True

    @reading
    def has_requests(self, endpoint_id: int, now: Instant) -> Step[bool]:
        rows = yield sql(
            "SELECT id FROM held_requests WHERE lane = $1 AND endpoint_id = $2 AND fetched = $3 AND expires_at > $4"
            " LIMIT 1",
            lane_of(endpoint_id),
            endpoint_id,
            False,
            now,
        )
        return bool(rows)

    @writing
    def fetch_requests(self, endpoint_id: int, now: Instant, limit: int) -> Step[list[HeldRequest]]:
        lane = lane_of(endpoint_id)
        # Whom another listener of the same endpoint is just fetching is left to it.
        rows = yield sql(
            "SELECT endpoint_id, id, headers, body, expires_at FROM held_requests WHERE lane = $1"
            f" AND endpoint_id = $2 AND fetched = $3 AND expires_at > $4 ORDER BY id LIMIT $5 {self.SKIP_LOCKED}",
            lane,
            endpoint_id,
            False,
            now,
            limit,
        )
        if rows:
            ids = [row["id"] for row in rows]
            yield sql(
                "UPDATE held_requests SET fetched = $3 WHERE lane = $1 AND endpoint_id = $2"
                f" AND id IN ({placeholders(4, ids)})",
                lane,
                endpoint_id,
                True,
                *ids,
            )
        return [_held_request(row) for row in rows]

    @writing
    def answer_request(self, endpoint_id: int, request_id: int, answer: ListenersAnswer) -> Step[bool]:
        answered = yield sql(
            "UPDATE held_requests SET answer = $4 WHERE lane = $1 AND endpoint_id = $2 AND id = $3"
            " AND fetched = $5 AND answer IS NULL RETURNING id",
            lane_of(endpoint_id),
            endpoint_id,
            request_id,
            msgspec.json.encode(answer),
            True,
        )
        return bool(answered)

    @reading
    def answer_to_request(self, endpoint_id: int, request_id: int) -> Step[ListenersAnswer | None]:
        rows = yield sql(
            "SELECT answer FROM held_requests WHERE lane = $1 AND endpoint_id = $2 AND id = $3",
            lane_of(endpoint_id),
            endpoint_id,
            request_id,
        )
        for row in rows:
            if row["answer"] is not None:
                return msgspec.json.decode(row["answer"], type=ListenersAnswer)
        return None

    @writing
    def let_go_of_request(self, endpoint_id: int, request_id: int) -> Step[None]:
        yield sql(
            "DELETE FROM held_requests WHERE lane = $1 AND endpoint_id = $2 AND id = $3",
            lane_of(endpoint_id),
            endpoint_id,
            request_id,
        )


def _held_request(row: Row) -> HeldRequest:
    return HeldRequest(
        id=row["id"],
        endpoint_id=row["endpoint_id"],
        headers=json.loads(row["headers"]),
        body=bytes(row["body"]),
        expires_at=row["expires_at"],
    )
