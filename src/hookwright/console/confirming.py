"""Ask for the key once more before a secret is shown: whoever sits here now may be somebody else."""

from __future__ import annotations

from hookwright.console.visits import Visit
from hookwright.core.errors import Forbidden
from hookwright.operations.sessions import confirm_session


async def problem_of_key(visit: Visit) -> str | None:
    """Why nothing is shown: too many tries, or not the key of this session. Asked only of those who signed in."""
    session, client = visit.viewer.session, visit.request.client
    if session is None:
        return None
    if not visit.surface.sign_ins.admits(client.host if client else None):
        return f"Too many tries. Wait {visit.surface.sign_ins.seconds_left()} seconds."
    try:
        await confirm_session(visit.services, session, visit.field("key").strip())
    except Forbidden as refusal:
        return f"Nothing was shown: {refusal}."
    return None
