"""What a server whose time is moved tells its receivers: signatures of the present time, which it remembers."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from hookwright.ambient import Clock
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


class Stamps:
    """Signs at the present time whatever the server's own clock says: receivers refuse signatures of the future."""

    def __init__(self, present: Clock) -> None:
        self.present = present
        self._sent: deque[Sent] = deque(maxlen=REMEMBERED)

    def put_on(self, wordings: Sequence[W]) -> list[W]:
        """The same wordings, whose requests are stamped by the present time."""
        return [
            dataclasses.replace(wording, forms={name: self._stamped(form) for name, form in wording.forms.items()})
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

    def _stamped(self, form: WireForm) -> WireForm:
        def headers(parcel: Parcel, keys: tuple[SigningKey, ...], now: Instant) -> Mapping[str, str]:
            made = form.headers(parcel, keys, self.present.now())
            named = {name.lower(): value for name, value in made.items()}
            self._sent.append(Sent(named, parcel.first, tuple(key.secret for key in keys)))
            return made

        return replace(form, headers=headers)
