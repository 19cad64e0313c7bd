"""What the routes of v4 share: the credentials and refusals that they document, and how a body is read."""

from fastapi import APIRouter
from starlette.requests import Request

from hookwright.dialects.kit.credentials import DOCUMENTED_SECURITY
from hookwright.dialects.kit.schemas import Errors
from hookwright.web.limits import parse_json, read_body


def v4_router(prefix: str, tag: str) -> APIRouter:
    """A router whose routes take either credential, and refuse a bad one (401) and a bad parameter (422)."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=list(DOCUMENTED_SECURITY),
        responses={
            401: {"model": Errors, "description": "The token or API key cannot be authenticated"},
            422: {"model": Errors, "description": "A parameter is missing or wrong"},
        },
    )


async def json_body(request: Request) -> object:
    """The value that a request's body is; None when it is empty. Raises Invalid, BodyTooLarge."""
    body = await read_body(request)
    return parse_json(body) if body.strip() else None
