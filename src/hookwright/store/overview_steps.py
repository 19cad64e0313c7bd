"""What people see of many endpoints at once: which there are, what they want, what their attempts came to."""

from __future__ import annotations

from collections.abc import Sequence

from hookwright.core.lanes import lane_of
from hookwright.core.model import Endpoint, Outcome, Subscription
from hookwright.store.endpoint_steps import endpoint_of_row
from hookwright.store.steps import Statement, Step, Steps, labels, made, placeholders, reading, sql

# How many of the newest deliveries are looked at for each that was tried: what waits was not tried yet.
LOOKED_AT_FOR_EACH = 10

END_OF_IDS = 2**62


class OverviewSteps(Steps):
    """Read what a page about endpoints shows. Every step reads a bounded number of rows."""

    @reading
    def newest_endpoints(self, account_id: int | None, below: int | None, limit: int) -> Step[list[Endpoint]]:
        bound = END_OF_IDS if below is None else below
        if account_id is None:
            rows = yield self._newest_of_all(bound, limit)
        else:
            rows = yield sql(
                "SELECT * FROM endpoints WHERE lane = $3 AND account_id = $4 AND id < $1 AND status <> 'deleted'"
                " ORDER BY id DESC LIMIT $2",
                bound,
                limit,
                lane_of(account_id),
                account_id,
            )
        return [endpoint_of_row(row, ()) for row in rows]

    def _newest_of_all(self, bound: int, limit: int) -> Statement:
        """No index knows the order of all lanes' ids: so each lane is asked for its own, and few of each are read.

        What is above the highest of the lanes' `limit`-th ids is enough, and at most `limit` rows of each lane.
        """
        lanes = ", ".join(f"({lane})" for lane in labels(range(self.lane_count)))
        return sql(
            f"WITH lanes (lane) AS (VALUES {lanes}) SELECT * FROM endpoints WHERE lane IN (SELECT lane FROM lanes)"
            " AND id < $1 AND status <> 'deleted' AND id >= COALESCE((SELECT MAX(back) FROM (SELECT"
            " (SELECT e.id FROM endpoints e WHERE e.lane = l.lane AND e.id < $1 AND e.status <> 'deleted'"
            " ORDER BY e.id DESC LIMIT 1 OFFSET $3) AS back FROM lanes l) AS of_lanes), 0)"
            " ORDER BY id DESC LIMIT $2",
            bound,
            limit,
            limit - 1,
        )

    @reading
    def subscriptions_of(self, endpoint_ids: Sequence[int]) -> Step[dict[int, tuple[Subscription, ...]]]:
        if not endpoint_ids:
            return {}
        lanes = sorted({lane_of(id) for id in endpoint_ids})
        rows = yield sql(
            f"SELECT endpoint_id, event, resource FROM subscriptions WHERE lane IN ({placeholders(1, lanes)})"
            f" AND endpoint_id IN ({placeholders(1 + len(lanes), endpoint_ids)})",
            *lanes,
            *endpoint_ids,
        )
        found: dict[int, list[Subscription]] = {id: [] for id in endpoint_ids}
        # Sorted here: databases differ in how they order text.
        for endpoint_id, event, resource in sorted((r["endpoint_id"], r["event"], r["resource"]) for r in rows):
            found[endpoint_id].append(Subscription(event, resource))
        return {id: tuple(each) for id, each in found.items()}

    @reading
    def latest_outcomes(self, endpoint_ids: Sequence[int], deliveries_each: int) -> Step[dict[int, list[Outcome]]]:
        if not endpoint_ids:
            return {}
        # `$1` and `$2` in every part; the rows of the innermost are in the order of their index, so that the one
        # around it stops at its limit.
        tried = " UNION ALL ".join(
            "SELECT * FROM (SELECT n.lane, n.id, n.endpoint_id FROM (SELECT d.lane, d.id, d.endpoint_id, d.attempts,"
            f" d.created_at FROM deliveries d WHERE d.lane = ${2 * place + 3} AND d.endpoint_id = ${2 * place + 4}"
            " ORDER BY d.created_at DESC, d.id DESC LIMIT $2) AS n WHERE n.attempts > 0"
            f" ORDER BY n.created_at DESC, n.id DESC LIMIT $1) AS tried_{place}"
            for place in range(len(endpoint_ids))
        )
        rows = yield sql(
            "SELECT t.endpoint_id, a.started_at, a.duration_us, a.status_code, a.error"
            f" FROM ({tried}) AS t JOIN attempts a ON a.lane = t.lane AND a.delivery_id = t.id"
            " ORDER BY a.started_at, a.delivery_id, a.number",
            deliveries_each,
            deliveries_each * LOOKED_AT_FOR_EACH,
            *(value for id in endpoint_ids for value in (lane_of(id), id)),
        )
        found: dict[int, list[Outcome]] = {id: [] for id in endpoint_ids}
        for row in rows:
            # Without what was answered: a page shows very many of them.
            outcome = made(Outcome, row, detail=None, body=b"", headers=None, retry_after_seconds=None)
            found[row["endpoint_id"]].append(outcome)
        return found
