"""Links to an account's portal, which a platform gives to its customer or shows inside its own pages."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.requests import Request

from hookwright.api.accounts import SECRET
from hookwright.api.bodies import documented_body, json_body
from hookwright.api.callers import AdminCaller, surface_of
from hookwright.api.document import refusals
from hookwright.api.requests import NewPortalLink, PathId
from hookwright.core.model import SECOND
from hookwright.core.portal import Look, entrance
from hookwright.core.times import iso_micros
from hookwright.operations.portal_links import create_portal_link

router = APIRouter(tags=["Portal"], responses=refusals(404, 422))


class PortalLinkView(BaseModel):
    id: int
    account: int
    url: str = Field(description="Whoever has it sees the account, until it ends.")
    expires_at: str


@router.post(
    "/accounts/{id}/portal-links",
    status_code=201,
    dependencies=SECRET,
    openapi_extra=documented_body(NewPortalLink, required=False),
    summary="Make a portal link",
)
async def make_portal_link(
    id: PathId,
    request: Request,
    caller: AdminCaller,
    asked: Annotated[NewPortalLink, Depends(json_body(NewPortalLink, required=False))],
) -> PortalLinkView:
    """A signed link to the pages of one account. It is kept nowhere: no other answer shows it again.

    It ends at its time, with its account, and when the key that made it is rotated or deleted.
    """
    caller.require_reach(id)
    look = Look(name=asked.name, logo=asked.logo, accent=asked.accent.lower())
    signed = await create_portal_link(
        caller.services,
        id,
        asked.expires_in_seconds * SECOND,
        look,
        may_change=asked.permissions == "manage",
    )
    base_url = surface_of(request).public_url or str(request.base_url)
    return PortalLinkView(
        id=signed.link.id,
        account=id,
        url=entrance(base_url, signed.token),
        expires_at=iso_micros(signed.link.expires_at),
    )
