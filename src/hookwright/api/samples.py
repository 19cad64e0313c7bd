"""Samples: one event with sample data, sent to one endpoint of any dialect."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import ConfigDict, Field

from hookwright.api.bodies import documented_body, json_body
from hookwright.api.callers import ManageCaller
from hookwright.api.document import refusals
from hookwright.api.requests import EventType, NamedAccount, PathId, RequestModel
from hookwright.api.views import DeliveryView, delivery_view
from hookwright.operations import samples

router = APIRouter(tags=["Endpoints"], responses=refusals(404, 422))


class SampleRequest(RequestModel):
    """Which type of event to send a sample of."""

    model_config = ConfigDict(json_schema_extra={"example": {"type": "contact.tag_added"}})

    type: EventType | None = Field(
        default=None, description="The first type that it subscribes to and that has a sample, if it is left out."
    )


@router.post(
    "/endpoints/{id}/test",
    status_code=202,
    responses=refusals(409),
    openapi_extra=documented_body(SampleRequest, required=False),
    summary="Send a sample event to an endpoint",
)
async def send_sample(
    id: PathId,
    caller: ManageCaller,
    asked: Annotated[SampleRequest, Depends(json_body(SampleRequest, required=False))],
    account: NamedAccount = None,
) -> DeliveryView:
    """A sample of an event type goes to this endpoint and to no other, signed and retried like any event.

    Where the endpoint subscribes to a resource, the sample is about it. The event is kept and shown like any other.
    An endpoint that is not active gets it once it is. 422 when the endpoint does not subscribe to the type.
    """
    return delivery_view(await samples.send_sample(caller.services, caller.one_account(account), id, asked.type))
