"""What the routes of v4 share: the credentials and the refusals that they document."""

from fastapi import APIRouter

from hookwright.dialects.kit.credentials import DOCUMENTED_SECURITY
from hookwright.dialects.kit.documented import RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE, WRONG_PARAMETER, refusals
from hookwright.dialects.kit.schemas import Errors


def v4_router(prefix: str, tag: str) -> APIRouter:
    """A router whose routes take either credential, and document what any of them may refuse."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=list(DOCUMENTED_SECURITY),
        responses={**refusals(Errors, UNAUTHENTICATED, WRONG_PARAMETER, UNAVAILABLE), **RATE_LIMITED},
    )
