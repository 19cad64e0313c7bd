"""Making requests: headers and body of what goes out together, signed with every live key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import structlog

from hookwright.ambient import Clock
from hookwright.core.errors import Unavailable
from hookwright.core.model import Claim, Parcel, WireForm
from hookwright.engine.failures import SendError
from hookwright.engine.keyring import Keyring
from hookwright.store.base import SecretOwner

# The error of an attempt whose request could not be made; see `failures`.
NOT_MADE: SendError = "not_made"

log = structlog.get_logger("hookwright.worker")


class NotMade(Exception):
    """A request cannot be made, and to try at once again would not help. Its words are for people."""


class MadeRequest(NamedTuple):
    """A request that is ready to go."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class RequestMaker:
    """Makes the requests of claims, each in the form of its dialect."""

    def __init__(self, keyring: Keyring, forms: Mapping[str, WireForm], clock: Clock) -> None:
        self._keyring = keyring
        self._forms = forms
        self._signed_by_endpoints = {dialect for dialect, form in forms.items() if form.own_secret}
        self._clock = clock

    def expect(self, claims: Sequence[Claim]) -> None:
        """Requests will be made of these soon: their keys are looked up together."""
        self._keyring.expect(map(self._owner_of_secret, claims))

    async def made(self, claims: tuple[Claim, ...]) -> MadeRequest:
        """The request of what goes out together. Raises NotMade; Unavailable when the store cannot tell the keys."""
        first = claims[0]
        form = self._forms.get(first.dialect)
        if form is None:
            raise NotMade(f"this version knows no dialect {first.dialect}")
        wrong = "its signing secret does not open"
        try:
            keys = await self._keyring.keys_of(*self._owner_of_secret(first))
            wrong = "its custom headers do not open"
            custom = self._keyring.custom_headers(first)
            wrong = "its payload cannot be put into its dialect's form"
            parcel = Parcel(claims=claims, body=form.envelope(claims) if form.envelope else first.body)
            headers = form.headers(parcel, keys, self._clock.time_of_day())
        except Unavailable:
            raise
        except Exception as error:
            log.exception("request not made", delivery_id=first.delivery_id, endpoint_id=first.endpoint_id)
            raise NotMade(wrong) from error
        if not keys:
            raise NotMade("it has no signing secret")
        return MadeRequest(first.url, {**custom, **headers}, parcel.body)

    def _owner_of_secret(self, claim: Claim) -> SecretOwner:
        return claim.account_id, claim.endpoint_id if claim.dialect in self._signed_by_endpoints else None
