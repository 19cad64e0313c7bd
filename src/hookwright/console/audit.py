"""The audit trail, for administrators: who changed what."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_administrators, parse_place
from hookwright.core.audit import ACTIONS, WAYS, Entry
from hookwright.core.lanes import id_in
from hookwright.core.model import DAY, HOUR, Instant
from hookwright.store.base import AuditQuery

PATH = f"{PREFIX}/audit"
PAGE_LENGTH = 50
MOST_OF_AN_ID = 100

SPANS: dict[str, Instant] = {"1h": HOUR, "24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY}
FAMILIES = tuple(dict.fromkeys(f"{action.partition('.')[0]}.*" for action in ACTIONS))


async def show_audit(visit: Visit) -> Response:
    """Changes, newest first, that pass the filters."""
    query = _query(visit)
    found = await visit.store.audit_entries(query)
    shown = found[:PAGE_LENGTH]
    asked = {
        name: visit.asked(name)[:MOST_OF_AN_ID] for name in ("account", "action", "way", "who", "object", "span")
    }
    older = with_query(PATH, **asked, before=_place_of(shown[-1])) if len(found) > PAGE_LENGTH else None
    return await visit.page(
        "audit.html",
        entries=shown,
        older=older,
        asked=asked,
        is_filtered=any(asked.values()),
        actions=ACTIONS,
        families=FAMILIES,
        ways=WAYS,
        spans=tuple(SPANS),
    )


def _query(visit: Visit) -> AuditQuery:
    own = visit.viewer.own_account_id
    length = SPANS.get(visit.asked("span"))
    actions = (*ACTIONS, *FAMILIES)
    return AuditQuery(
        account_id=own if own is not None else id_in(visit.asked("account")) or visit.viewer.account_id,
        action=next((action for action in actions if action == visit.asked("action")), None),
        way=next((way for way in WAYS if way == visit.asked("way")), None),
        actor_id=id_in(visit.asked("who")),
        object_id=visit.asked("object")[:MOST_OF_AN_ID] or None,
        since=None if length is None else visit.now - length,
        before=parse_place(visit.asked("before")),
        limit=PAGE_LENGTH + 1,
    )


def _place_of(entry: Entry) -> str:
    return f"{entry.at}-{entry.id}"


ROUTES = (Route(PATH, for_administrators(show_audit), methods=["GET"]),)
