"""Publishing: from what a platform sent to events on disk with their deliveries."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from itertools import count

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from hookwright.ambient import new_event_id
from hookwright.core.errors import Conflict, Invalid, Problem
from hookwright.core.event_names import meant_by
from hookwright.core.lanes import LANE_COUNT, MAX_ID
from hookwright.core.misfits import MOST, problem_of
from hookwright.core.model import (
    OWN_DIALECT,
    Accepted,
    DeclaredType,
    Draft,
    Event,
    Instant,
    Notice,
    Site,
    Translate,
)
from hookwright.core.nesting import MAX_DEPTH, is_nested_deeper
from hookwright.core.times import from_datetime
from hookwright.core.vocabulary import EVENT_TYPES, Data, typed_data
from hookwright.operations.event_types import declared_types, unknown_type
from hookwright.operations.services import Services

MAX_KEY_LENGTH = 255
MAX_BATCH = 1_000

# Of the events of one batch whose type nobody knows: for so many it is guessed what was meant, which takes a while.
MOST_GUESSES = 5

# So many events of a batch are checked in one turn of the event loop; others' requests must not wait for a thousand.
CHECKED_IN_A_TURN = 50

# Lenient decoding, which ids need, would take a number for Unix seconds where only a datetime is expected. It is
# decoded as the number that it is, and refused.
Moment = datetime | float


class Publish(Struct, frozen=True, kw_only=True):
    """What a platform sends for one event. `site` is only needed when the account has several.

    A delivery that was not made by `expires_at` is not made any more: it dies, visibly. Endpoints that are ordered
    by key get the events of one `ordering_key` one after another.
    """

    type: str
    account: int
    site: int | None = None
    occurred_at: Moment | None = None
    expires_at: Moment | None = None
    idempotency_key: str | None = None
    ordering_key: str | None = None
    data: Raw


async def publish(
    services: Services, requests: Sequence[Publish], root: str = "", traceparent: str | None = None
) -> list[Accepted | Conflict]:
    """Accept events: all are checked before any is accepted, and all are on disk when this returns.

    Answers in order; a Conflict stands for an idempotency key that was used for another event. The events continue
    the trace that `traceparent` names. Raises Invalid with pointers below `root` (and below `root/<position>` when
    there are several), Unavailable.
    """
    with services.traces.publishing(traceparent, len(requests)) as place_in_trace:
        drafts = await _drafts(services, requests, root, place_in_trace)
        return await services.intake.accept(drafts)


async def _drafts(services: Services, requests: Sequence[Publish], root: str, traceparent: str | None) -> list[Draft]:
    sites = await _sites_of(services, requests)
    declared = await _declared_types(services, requests)
    drafts: list[Draft] = []
    problems: list[Problem] = []
    for position, request in enumerate(requests):
        if position % CHECKED_IN_A_TURN == CHECKED_IN_A_TURN - 1:
            await asyncio.sleep(0)
        try:
            may_guess = len(problems) < MOST_GUESSES
            drafts.append(_draft(services, request, sites, declared, traceparent, may_guess))
        except Invalid as error:
            place = f"{root}/{position}" if root else ""
            problems += [replace(problem, pointer=place + problem.pointer) for problem in error.problems]
            if len(problems) >= MOST:
                break
    if problems:
        raise Invalid(*problems)
    return drafts


async def _sites_of(services: Services, requests: Sequence[Publish]) -> dict[int, list[Site]]:
    """The sites of each account that exists: those of a second ago, where no request is refused for them."""
    asked: dict[int, set[int | None]] = {}
    for request in requests:
        if 0 < request.account <= MAX_ID:
            asked.setdefault(request.account, set()).add(request.site)
    sites = {id: await _sites_that_allow(services, id, wanted) for id, wanted in asked.items()}
    return {id: found for id, found in sites.items() if found is not None}


async def _sites_that_allow(services: Services, account_id: int, wanted: Set[int | None]) -> list[Site] | None:
    """The sites of an account, or None when it does not exist; the recent ones if they allow what is wanted."""
    now = services.clock.now()
    recent = services.recent_sites.recall(account_id, now)
    if recent is not None and _allow(recent, wanted):
        return recent
    return await services.recent_sites.look_up(account_id, now, services.store.sites_of_account(account_id))


def _allow(sites: Sequence[Site], wanted: Set[int | None]) -> bool:
    """Whether no event for one of the wanted sites is refused; None among them is an event that names no site."""
    must_be_named = len(sites) > 1
    return wanted <= {site.id for site in sites} | (set() if must_be_named else {None})


async def _declared_types(services: Services, requests: Sequence[Publish]) -> Mapping[str, DeclaredType]:
    """What the platform declared; nothing is read where every type is a built-in one."""
    return {} if all(request.type in EVENT_TYPES for request in requests) else await declared_types(services)


def _draft(
    services: Services,
    request: Publish,
    sites: Mapping[int, list[Site]],
    declared: Mapping[str, DeclaredType],
    traceparent: str | None,
    may_guess: bool,
) -> Draft:
    problems = _problems(services, request, sites)
    type: str | None = request.type
    if request.type not in EVENT_TYPES and request.type not in declared:
        known = (*EVENT_TYPES, *declared)
        type = meant_by(request.type, known) if may_guess else None
        problems.append(unknown_type(known, "/type", type))
    try:
        data, members = _checked_data(services, type, request.data, declared)
    except Invalid as error:
        raise Invalid(*problems, *error.problems) from None
    if problems:
        raise Invalid(*problems)
    now = services.clock.now()
    event = Event(
        id=new_event_id(now, request.account % LANE_COUNT),
        account_id=request.account,
        site_id=_site_id(request, sites[request.account]),
        type=request.type,
        occurred_at=now if request.occurred_at is None else _instant(request.occurred_at),
        accepted_at=now,
        data=bytes(request.data),
        idempotency_key=request.idempotency_key,
        expires_at=None if request.expires_at is None else _instant(request.expires_at),
        ordering_key=request.ordering_key,
        traceparent=traceparent,
    )
    if event.site_id is None and len(sites[request.account]) > 1:
        _refuse_without_site(services.translations, event, data, sites[request.account])
    return Draft(
        event=event,
        fingerprint=b"" if request.idempotency_key is None else fingerprint(request, members),
        notices=notices_of(services.translations, event, data),
    )


def _problems(services: Services, request: Publish, sites: Mapping[int, list[Site]]) -> list[Problem]:
    """What is wrong with a request, its type and its data apart."""
    problems: list[Problem] = []
    of_account = sites.get(request.account)
    if of_account is None:
        problems.append(Problem("/account", f"account {request.account} does not exist", "unknown"))
    elif request.site is not None and request.site not in {site.id for site in of_account}:
        problems.append(Problem("/site", f"account {request.account} has no site {request.site}", "unknown"))
    if not _is_key(request.idempotency_key):
        problems.append(Problem("/idempotency_key", _NO_KEY))
    if not _is_key(request.ordering_key):
        problems.append(Problem("/ordering_key", _NO_KEY))
    if isinstance(request.occurred_at, float):
        problems.append(Problem("/occurred_at", _NO_MOMENT))
    if isinstance(request.expires_at, float):
        problems.append(Problem("/expires_at", _NO_MOMENT))
    elif request.expires_at is not None and _instant(request.expires_at) <= services.clock.now():
        problems.append(Problem("/expires_at", "must be in the future"))
    return problems


def _checked_data(
    services: Services, type: str | None, content: Raw, declared: Mapping[str, DeclaredType]
) -> tuple[Data | None, object]:
    """The typed data of a built-in type, and whatever is in any type's; no type takes any. Raises Invalid."""
    data = None if type is None else typed_data(type, content)
    # What the vocabulary does not know is skipped when the typed data is decoded; here every member is read.
    members = _whole(content)
    if (
        type is not None
        and type in declared
        and (problems := services.declared_types.problems(declared[type], members, "/data"))
    ):
        raise Invalid(*problems)
    return data, members


_NO_MOMENT = "must be ISO 8601, such as 2026-01-31T18:20:00Z"
_NO_KEY = f"must have 1 to {MAX_KEY_LENGTH} characters, none of them NUL"


def _instant(moment: Moment) -> Instant:
    assert isinstance(moment, datetime)  # a number was refused
    return from_datetime(moment)


def _is_key(key: str | None) -> bool:
    return key is None or (1 <= len(key) <= MAX_KEY_LENGTH and "\0" not in key)


def _site_id(request: Publish, sites: Sequence[Site]) -> int | None:
    if request.site is None:
        return sites[0].id if len(sites) == 1 else None
    return request.site


def _refuse_without_site(
    translations: Mapping[str, Translate], event: Event, data: Data | None, sites: Sequence[Site]
) -> None:
    # Endpoints of a site would miss this event in silence if we accepted it without one.
    with_site = replace(event, site_id=sites[0].id)
    if any(notice.site_id is not None for notice in notices_of(translations, with_site, data)):
        known = ", ".join(str(site.id) for site in sites)
        raise Invalid(Problem("/site", f"is required: the account has several sites ({known})", "blank"))


def notices_of(translations: Mapping[str, Translate], event: Event, data: Data | None) -> tuple[Notice, ...]:
    """Every notice that an event may become: Hookwright's own is number 0, the dialects' are numbered from 1."""
    foreign = count(1)
    return tuple(
        notice if notice.dialect == OWN_DIALECT else replace(notice, ordinal=next(foreign))
        for translate in translations.values()
        for notice in translate(event, data)
    )


def fingerprint(request: Publish, members: object) -> bytes:
    """What makes two publishes the same: everything but the key, whatever the order of members and the spacing."""
    same = (
        request.type,
        request.account,
        request.site,
        request.occurred_at,
        request.expires_at,
        request.ordering_key,
        members,
    )
    return hashlib.sha256(msgspec.json.encode(same, order="sorted")).digest()


def _whole(data: Raw) -> object:
    """Data with all its members. Raises Invalid for what a JSON reader would stumble over later."""
    try:
        value: object = msgspec.json.decode(data)
    except msgspec.ValidationError as error:
        raise Invalid(problem_of(error, "/data")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(Problem("/data", "is not JSON in UTF-8, or is nested too deeply", "malformed")) from None
    # Nothing is deeper than it has brackets, and to count them costs next to nothing.
    text = bytes(data)
    if text.count(b"[") + text.count(b"{") > MAX_DEPTH and is_nested_deeper(value, MAX_DEPTH):
        raise Invalid(Problem("/data", f"is nested too deeply (at most {MAX_DEPTH} levels)", "malformed"))
    return value
