"""The audit trail."""

from __future__ import annotations

from hookwright.core.audit import Entry
from hookwright.core.lanes import lane_of
from hookwright.core.model import Instant
from hookwright.store.base import AuditQuery
from hookwright.store.steps import Filters, Step, Steps, insert, made, reading, sql, writing


class AuditSteps(Steps):
    """Keep, find and forget who changed what."""

    @writing
    def add_audit_entry(self, entry: Entry) -> Step[None]:
        yield from keep_entry(entry)

    @reading
    def audit_entries(self, query: AuditQuery) -> Step[list[Entry]]:
        filters = _filters(query)
        rows = yield sql(
            f"SELECT * FROM audit_entries WHERE {filters} ORDER BY at DESC, id DESC LIMIT ${len(filters.values) + 1}",
            *filters.values,
            query.limit,
        )
        return [made(Entry, row) for row in rows]

    @writing
    def prune_audit_entries(self, before: Instant) -> Step[None]:
        # Every lane: they are few, and a chore asks once a minute.
        yield sql("DELETE FROM audit_entries WHERE at < $1", before)


def keep_entry(entry: Entry | None) -> Step[None]:
    """Part of the step that changes what the entry tells of: neither is on disk without the other."""
    if entry is not None:
        yield insert("audit_entries", lane_of(entry.id), entry, kind=_kind_of(entry.action))


def _kind_of(action: str) -> str:
    return action.partition(".")[0]


def _filters(query: AuditQuery) -> Filters:
    filters = Filters()
    if query.account_id is not None:
        filters.add("lane = $? AND account_id = $?", lane_of(query.account_id), query.account_id)
    if query.action is not None:
        if query.action.endswith(".*"):
            filters.add("kind = $?", _kind_of(query.action))
        else:
            filters.add("action = $?", query.action)
    for column, value in (("way", query.way), ("actor_id", query.actor_id), ("object_id", query.object_id)):
        if value is not None:
            filters.add(f"{column} = $?", value)
    if query.since is not None:
        filters.add("at >= $?", query.since)
    if query.until is not None:
        filters.add("at < $?", query.until)
    if query.before is not None:
        at, id = query.before
        filters.add("(at < $? OR (at = $? AND id < $?))", at, at, id)
    return filters
