"""Ask for the key once more before a secret is shown: whoever sits here now may be somebody else."""

from __future__ import annotations

from hookwright.console.visits import Visit
from hookwright.core.errors import Forbidden
from hookwright.operations.sessions import confirm_session


async def problem_of_key(visit: Visit) -> str | None:
    """Why nothing is shown: too many tries, or not the key of this session. Asked only of those who signed in."""
    session = visit.viewer.session
    if session is None:
        return None
    if not visit.surface.confirmations.admits(session.id):
        return f"Too many tries. Wait {visit.surface.confirmations.seconds_left()} seconds."
    try:
        await confirm_session(visit.services, session, visit.field("key").strip())
    except Forbidden as refusal:
        return f"Nothing was shown: {refusal}."
    return None
