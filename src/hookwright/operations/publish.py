"""Publishing: from what a platform sent to events on disk with their deliveries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import count

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from hookwright.ambient import new_event_id
from hookwright.core.errors import Conflict, Invalid, Problem
from hookwright.core.lanes import LANE_COUNT, MAX_ID
from hookwright.core.model import OWN_DIALECT, Accepted, DeclaredType, Draft, Event, Notice, Site, Translate
from hookwright.core.times import from_datetime
from hookwright.core.vocabulary import EVENT_TYPES, decode_data, problem_of
from hookwright.operations.event_types import declared_types, unknown_type
from hookwright.operations.services import Services

MAX_KEY_LENGTH = 255
MAX_BATCH = 1_000


class Publish(Struct, frozen=True, kw_only=True):
    """What a platform sends for one event. `site` is only needed when the account has several.

    A delivery that was not made by `expires_at` is not made any more: it dies, visibly. Endpoints that are ordered
    by key get the events of one `ordering_key` one after another.
    """

    type: str
    account: int
    site: int | None = None
    occurred_at: datetime | None = None
    expires_at: datetime | None = None
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
        return await services.intake.accept_all(drafts)


async def _drafts(services: Services, requests: Sequence[Publish], root: str, traceparent: str | None) -> list[Draft]:
    sites = await _sites_of(services, {request.account for request in requests})
    declared = await _declared_types(services, requests)
    drafts: list[Draft] = []
    problems: list[Problem] = []
    for position, request in enumerate(requests):
        try:
            drafts.append(_draft(services, request, sites, declared, traceparent))
        except Invalid as error:
            place = f"{root}/{position}" if root else ""
            problems += [replace(problem, pointer=place + problem.pointer) for problem in error.problems]
    if problems:
        raise Invalid(*problems)
    return drafts


async def _sites_of(services: Services, account_ids: set[int]) -> dict[int, list[Site]]:
    """The sites of each account that exists."""
    existing = [id for id in account_ids if 0 < id <= MAX_ID and await services.store.account(id) is not None]
    return {id: await services.store.sites(id) for id in existing}


async def _declared_types(services: Services, requests: Sequence[Publish]) -> Mapping[str, DeclaredType]:
    """What the platform declared; nothing is read where every type is a built-in one."""
    return {} if all(request.type in EVENT_TYPES for request in requests) else await declared_types(services)


def _draft(
    services: Services,
    request: Publish,
    sites: Mapping[int, list[Site]],
    declared: Mapping[str, DeclaredType],
    traceparent: str | None,
) -> Draft:
    _check(services, request, sites, declared)
    now = services.clock.now()
    event = Event(
        id=new_event_id(now, request.account % LANE_COUNT),
        account_id=request.account,
        site_id=_site_id(request, sites[request.account]),
        type=request.type,
        occurred_at=from_datetime(request.occurred_at) if request.occurred_at else now,
        accepted_at=now,
        data=bytes(request.data),
        idempotency_key=request.idempotency_key,
        expires_at=None if request.expires_at is None else from_datetime(request.expires_at),
        ordering_key=request.ordering_key,
        traceparent=traceparent,
    )
    notices = notices_of(services.translations, event)
    if event.site_id is None and len(sites[request.account]) > 1:
        _refuse_without_site(services.translations, event, sites[request.account])
    return Draft(event=event, fingerprint=fingerprint(request), notices=notices)


def _check(
    services: Services, request: Publish, sites: Mapping[int, list[Site]], declared: Mapping[str, DeclaredType]
) -> None:
    if request.account not in sites:
        raise Invalid(Problem("/account", f"account {request.account} does not exist", "unknown"))
    if request.type not in EVENT_TYPES and request.type not in declared:
        raise Invalid(unknown_type((*EVENT_TYPES, *declared), "/type"))
    _check_key("/idempotency_key", request.idempotency_key)
    _check_key("/ordering_key", request.ordering_key)
    if request.expires_at is not None and from_datetime(request.expires_at) <= services.clock.now():
        raise Invalid(Problem("/expires_at", "must be in the future"))
    if request.type in EVENT_TYPES:
        decode_data(request.type, request.data)
    elif problems := services.declared_types.problems(declared[request.type], _whole(request.data), "/data"):
        raise Invalid(*problems)


def _check_key(pointer: str, key: str | None) -> None:
    if key is not None and (not 1 <= len(key) <= MAX_KEY_LENGTH or "\0" in key):
        raise Invalid(Problem(pointer, f"must have 1 to {MAX_KEY_LENGTH} characters, none of them NUL"))


def _site_id(request: Publish, sites: Sequence[Site]) -> int | None:
    if request.site is None:
        return sites[0].id if len(sites) == 1 else None
    if request.site not in {site.id for site in sites}:
        raise Invalid(Problem("/site", f"account {request.account} has no site {request.site}", "unknown"))
    return request.site


def _refuse_without_site(translations: Mapping[str, Translate], event: Event, sites: Sequence[Site]) -> None:
    # Endpoints of a site would miss this event in silence if we accepted it without one.
    with_site = replace(event, site_id=sites[0].id)
    if any(notice.site_id is not None for notice in notices_of(translations, with_site)):
        known = ", ".join(str(site.id) for site in sites)
        raise Invalid(Problem("/site", f"is required: the account has several sites ({known})", "blank"))


def notices_of(translations: Mapping[str, Translate], event: Event) -> tuple[Notice, ...]:
    """Every notice that an event may become: Hookwright's own is number 0, the dialects' are numbered from 1."""
    foreign = count(1)
    return tuple(
        replace(notice, ordinal=0 if notice.dialect == OWN_DIALECT else next(foreign))
        for translate in translations.values()
        for notice in translate(event)
    )


def fingerprint(request: Publish) -> bytes:
    """What makes two publishes the same: everything but the key, whatever the order of members and the spacing.

    Raises Invalid for data that a JSON reader would stumble over later.
    """
    same = (
        request.type,
        request.account,
        request.site,
        request.occurred_at,
        request.expires_at,
        request.ordering_key,
        _whole(request.data),
    )
    return hashlib.sha256(msgspec.json.encode(same, order="sorted")).digest()


def _whole(data: Raw) -> object:
    # What the vocabulary does not know is skipped when the typed data is decoded; here every member is read.
    try:
        value: object = msgspec.json.decode(data)
    except msgspec.ValidationError as error:
        raise Invalid(problem_of(error, "/data")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid(Problem("/data", "is not JSON in UTF-8, or is nested too deeply", "malformed")) from None
    return value
