"""What a server has sent, so that its receiver knows what each request is about."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from hookwright.core.addresses import parse_target
from hookwright.core.model import Claim, Instant, Parcel, SigningKey, WireForm
from hookwright.dialects.base import Wording
from hookwright.testing.receiver import Received

REMEMBERED = 10_000

W = TypeVar("W", bound=Wording)


class Sent(NamedTuple):
    """The headers that a request was given, for which delivery, and the secrets that signed it."""

    headers: Mapping[str, str]
    claim: Claim
    secrets: tuple[str, ...]


class SentRequests:
    """Remembers each request as its headers are made."""

    def __init__(self) -> None:
        self._sent: deque[Sent] = deque(maxlen=REMEMBERED)

    def remember(self, wordings: Sequence[W]) -> list[W]:
        """The same wordings, whose requests are remembered here."""
        return [
            dataclasses.replace(wording, forms={name: self._remembered(form) for name, form in wording.forms.items()})
            for wording in wordings
        ]

    def take(self, request: Received, port: int) -> Sent | None:
        """What a request to this port was made for, oldest first; None when it is not from here.

        Each is taken once: a retry within the same second has the same headers.
        """
        for place, sent in enumerate(self._sent):
            target = parse_target(sent.claim.url)
            is_its_target = (target.port, target.path) == (port, request.path)
            if is_its_target and sent.headers.items() <= request.headers.items():
                del self._sent[place]
                return sent
        return None

    def _remembered(self, form: WireForm) -> WireForm:
        def headers(parcel: Parcel, keys: tuple[SigningKey, ...], now: Instant) -> Mapping[str, str]:
            made = form.headers(parcel, keys, now)
            named = {name.lower(): value for name, value in made.items()}
            self._sent.append(Sent(named, parcel.first, tuple(key.secret for key in keys)))
            return made

        return replace(form, headers=headers)
