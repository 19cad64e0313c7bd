"""Endpoints that need attention, the most urgent first."""

from __future__ import annotations

from typing import NamedTuple

from hookwright.console.visits import Visit
from hookwright.core.attention import Attention, attention_of
from hookwright.core.model import Endpoint

MOST_TROUBLED = 500


class Troubled(NamedTuple):
    """An endpoint, and why it needs attention."""

    endpoint: Endpoint
    attention: Attention


async def troubled_endpoints(visit: Visit) -> list[Troubled]:
    """Those that the viewer may see, at most 500."""
    found: list[Troubled] = []
    for endpoint in await visit.store.endpoints_in_trouble(visit.viewer.account_id, MOST_TROUBLED):
        attention = attention_in(visit, endpoint)
        if attention is not None:
            found.append(Troubled(endpoint, attention))
    return sorted(found, key=lambda each: (each.attention.rank, each.attention.since or 0, each.endpoint.id))


def attention_in(visit: Visit, endpoint: Endpoint) -> Attention | None:
    """What an endpoint needs at the time of this visit."""
    form = visit.surface.settings.forms.get(endpoint.dialect)
    return attention_of(endpoint, visit.now, may_disable=form is not None and form.may_disable)
