"""What publishers were answered, and how soon after a trouble all went well for them again.

Every function is one of a run's records alone. Times in answers are seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from math import inf

from faults.checker import Records, event_of
from faults.records import SECOND, Answered, Deed


def unasked(answers: Iterable[Answered], allowed: Collection[int] = (503,)) -> list[str]:
    """Refusals other than the allowed ones, and allowed ones without Retry-After."""
    found: list[str] = []
    for answer in answers:
        if answer.answer == "fail" and answer.status not in allowed:
            found.append(f"{answer.key}: answered {answer.status}: {answer.error}")
        elif answer.answer == "fail" and answer.retry_after is None:
            found.append(f"{answer.key}: answered {answer.status} without Retry-After")
    return found


def unanswered(answers: Iterable[Answered]) -> list[str]:
    """Requests whose connection ended without an answer, or that nobody answered in time."""
    return [f"{answer.key}: {answer.error}" for answer in answers if answer.answer == "unknown"]


def slowest(answers: Iterable[Answered]) -> float:
    """The longest that a request waited for its answer."""
    return max(((answer.answered_at - answer.asked_at) / SECOND for answer in answers), default=0.0)


def asked_between(answers: Iterable[Answered], began_at: int, ended_at: float = inf) -> list[Answered]:
    """The requests that were asked and answered within a span of time."""
    return [answer for answer in answers if began_at <= answer.asked_at and answer.answered_at < ended_at]


def healed_after(answers: Iterable[Answered], ended_at: int) -> float:
    """How long after a trouble's end an event was accepted and nothing was refused any more; infinity where never.

    `answers` are those until the next trouble.
    """
    later = sorted((each for each in answers if each.answered_at >= ended_at), key=lambda each: each.answered_at)
    refused = [place for place, answer in enumerate(later) if answer.answer != "ok"]
    rest = later[refused[-1] + 1 :] if refused else later
    return (rest[0].answered_at - ended_at) / SECOND if rest else inf


def delivering_after(records: Records, back_at: int) -> float:
    """How long after a moment the first event that was accepted after it arrived; infinity where none did."""
    accepted = {each.event_id for each in records.answers if each.answer == "ok" and each.asked_at >= back_at}
    arrived = [each.at for each in records.arrivals if each.at >= back_at and event_of(each.message_id) in accepted]
    return (min(arrived) - back_at) / SECOND if arrived else inf


def longest_healing(records: Records, deeds: Iterable[Deed]) -> tuple[float, float]:
    """The longest after some deeds until events were accepted and none refused, and until such arrived."""
    accepting = delivering = 0.0
    for deed in deeds:
        next_began = min((each.began_at for each in records.deeds if each.began_at > deed.began_at), default=inf)
        own = asked_between(records.answers, deed.began_at, next_began)
        accepting = max(accepting, healed_after(own, deed.ended_at))
        delivering = max(delivering, delivering_after(records, deed.ended_at))
    return accepting, delivering


def committed_unanswered(answers: Iterable[Answered]) -> list[Answered]:
    """The requests whose events had been committed although their publisher never had an answer."""
    unknown: dict[str, Answered] = {}
    found: list[Answered] = []
    for answer in sorted(answers, key=lambda each: each.asked_at):
        if answer.answer == "unknown":
            unknown.setdefault(answer.key, answer)
        elif answer.answer == "ok" and answer.duplicate and answer.key in unknown:
            found.append(unknown[answer.key])
    return found


def kills_before_the_answer(answers: Iterable[Answered], deeds: Iterable[Deed]) -> int:
    """How many deeds fell on a request whose event was committed and whose publisher never had an answer."""
    cut_off = committed_unanswered(answers)
    return sum(
        any(request.asked_at <= deed.ended_at and deed.began_at <= request.answered_at for request in cut_off)
        for deed in deeds
    )
