"""Searches for deliveries: by what a person typed, ids and keys first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from hookwright.core.lanes import id_in
from hookwright.core.model import Delivery, Instant
from hookwright.core.search_language import Search
from hookwright.operations.services import Services
from hookwright.store.base import DeliveryQuery, DeliverySearch

# How many accounts' idempotency keys are asked when no account is named.
MOST_ACCOUNTS_ASKED = 500

# How many rows a page looks at when hits are rare: so many take some tens of milliseconds, and the next page goes on.
MOST_EXAMINED = 10_000

# Text is looked for in fewer events: their data has to be read.
MOST_READ = 5_000

Place = tuple[Instant, int]


class Found(NamedTuple):
    """One page of what a search found, newest first.

    `next_place` is where the next page begins. `looked_back_to`: what is older was not looked at, since the hits are
    too rare. `by_id`: the text was an id or a key, and this is all that belongs to it.
    """

    deliveries: Sequence[Delivery]
    next_place: Place | None = None
    looked_back_to: Instant | None = None
    by_id: bool = False


NOTHING = Found(())


async def find_deliveries(
    services: Services, account_id: int | None, search: Search, before: Place | None, limit: int
) -> Found:
    """What a search finds among the deliveries of an account, or (None) of all."""
    wanted = delivery_search(account_id, search, before, limit + 1)
    if wanted is None:
        return NOTHING
    if search.text is not None:
        found = await _by_id(services, wanted, search.text)
        if found:
            return Found(found[:limit], _place_after(found, limit), by_id=True)
    matches = await services.store.search_deliveries(wanted)
    following = _place_after(matches.deliveries, limit)
    if following is not None or matches.back_to is None:
        return Found(matches.deliveries[:limit], following)
    return Found(matches.deliveries, (matches.back_to, 0), matches.back_to)


def delivery_search(
    account_id: int | None, search: Search, before: Place | None, limit: int
) -> DeliverySearch | None:
    """What is asked of the store; None where nothing can be found, since it is another account's."""
    if search.account_id is not None and account_id not in (None, search.account_id):
        return None
    return DeliverySearch(
        account_id=search.account_id if account_id is None else account_id,
        endpoint_id=search.endpoint_id,
        event_type=search.event_type,
        statuses=search.statuses,  # type: ignore[arg-type] # the language knows the same words
        created_from=search.since,
        created_to=search.until,
        text=search.text,
        before=before,
        limit=limit,
        most_examined=MOST_EXAMINED if search.text is None else MOST_READ,
    )


def _place_after(found: Sequence[Delivery], limit: int) -> Place | None:
    """Where the next page begins, if more was found than one page holds."""
    return (found[limit - 1].created_at, found[limit - 1].id) if len(found) > limit else None


async def _by_id(services: Services, wanted: DeliverySearch, text: str) -> list[Delivery]:
    """The deliveries that a delivery's, event's or message's id or an idempotency key names; the filters hold too."""
    store = services.store
    delivery_id = id_in(text)
    if delivery_id is not None:
        delivery = await store.delivery(delivery_id)
        if delivery is not None and wanted.account_id in (None, delivery.account_id):
            return [delivery]
    event_id, ordinal = _message_id(text)
    if event_id is not None:
        found = await store.deliveries(_of_event(wanted, event_id))
        return [each for each in found if ordinal is None or each.ordinal == ordinal]
    account_ids = [wanted.account_id] if wanted.account_id is not None else await _account_ids(services)
    events = await store.event_ids_of_key(account_ids, text)
    return [each for event_id in events for each in await store.deliveries(_of_event(wanted, event_id))]


def _of_event(wanted: DeliverySearch, event_id: str) -> DeliveryQuery:
    return DeliveryQuery(
        account_id=wanted.account_id,
        endpoint_id=wanted.endpoint_id,
        event_id=event_id,
        before=wanted.before,
        limit=wanted.limit,
    )


async def _account_ids(services: Services) -> list[int]:
    return [account.id for account in await services.store.accounts(limit=MOST_ACCOUNTS_ASKED)]


def _message_id(text: str) -> tuple[str | None, int | None]:
    """The event id and the number in a message id (`<event id>-3`), or in an event id, which has no number."""
    head, number = text[:36], text[36:]
    try:
        event_id = str(UUID(head))
    except ValueError:
        return None, None
    if not number:
        return event_id, None
    is_number = number.startswith("-") and number[1:].isascii() and number[1:].isdigit() and len(number) < 6
    return (event_id, int(number[1:])) if is_number else (None, None)
