"""Events that were accepted."""

from typing import Any
from uuid import UUID

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from hookwright.api.callers import ReadCaller
from hookwright.api.document import refusals
from hookwright.api.views import EventView
from hookwright.core.model import Event
from hookwright.core.times import iso_micros, iso_or_none
from hookwright.operations.deliveries import require_event

router = APIRouter(tags=["Events"])


@router.get("/events/{id}", response_model=EventView, responses=refusals(404), summary="Get an event")
async def get_event(id: UUID, caller: ReadCaller) -> Response:
    """The event as it was accepted. Its deliveries are listed by `GET /deliveries?event=…`."""
    event = await require_event(caller.services, caller.account_id, str(id))
    return Response(msgspec.json.encode(_shown(event)), media_type="application/json")


def _shown(event: Event) -> dict[str, Any]:
    # Not through pydantic: the data goes out as it came in, to the byte.
    return {
        "id": event.id,
        "account": event.account_id,
        "site": event.site_id,
        "type": event.type,
        "occurred_at": iso_micros(event.occurred_at),
        "accepted_at": iso_micros(event.accepted_at),
        "expires_at": iso_or_none(event.expires_at),
        "idempotency_key": event.idempotency_key,
        "ordering_key": event.ordering_key,
        "data": msgspec.Raw(event.data) if event.data else None,  # empty once it has been kept long enough
    }
