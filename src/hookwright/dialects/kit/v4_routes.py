"""What the routes of v4 share: the credentials and refusals that they document, and how a body is read."""

from fastapi import APIRouter
from starlette.requests import Request

from hookwright.dialects.kit.credentials import DOCUMENTED_SECURITY
from hookwright.dialects.kit.documented import RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE, WRONG_PARAMETER, refusals
from hookwright.dialects.kit.schemas import Errors
from hookwright.web.limits import parse_json, read_body


def v4_router(prefix: str, tag: str) -> APIRouter:
    """A router whose routes take either credential, and document what any of them may refuse."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=list(DOCUMENTED_SECURITY),
        responses={**refusals(Errors, UNAUTHENTICATED, WRONG_PARAMETER, UNAVAILABLE), **RATE_LIMITED},
    )


async def json_body(request: Request) -> object:
    """The value that a request's body is; None when it is empty. Raises Invalid, BodyTooLarge."""
    body = await read_body(request)
    return parse_json(body) if body.strip() else None
