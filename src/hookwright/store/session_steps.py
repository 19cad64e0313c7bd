"""Sessions of the console."""

from __future__ import annotations

from hookwright.core.lanes import lane_of
from hookwright.core.model import Instant
from hookwright.core.sessions import Session
from hookwright.store.steps import Step, Steps, insert, made, reading, sql, writing


class SessionSteps(Steps):
    """Keep who is signed in."""

    @writing
    def add_session(self, session: Session) -> Step[None]:
        yield insert("sessions", lane_of(session.id), session)

    @reading
    def session(self, session_id: int) -> Step[Session | None]:
        rows = yield sql("SELECT * FROM sessions WHERE lane = $1 AND id = $2", lane_of(session_id), session_id)
        return made(Session, rows[0]) if rows else None

    @writing
    def note_session(self, session_id: int, seen_at: Instant) -> Step[None]:
        yield sql(
            "UPDATE sessions SET seen_at = $3 WHERE lane = $1 AND id = $2 AND seen_at < $3",
            lane_of(session_id),
            session_id,
            seen_at,
        )

    @writing
    def delete_session(self, session_id: int) -> Step[None]:
        yield sql("DELETE FROM sessions WHERE lane = $1 AND id = $2", lane_of(session_id), session_id)

    @writing
    def prune_sessions(self, seen_before: Instant) -> Step[None]:
        # Every lane: when somebody signs in, which is rare.
        yield sql("DELETE FROM sessions WHERE seen_at < $1", seen_before)
