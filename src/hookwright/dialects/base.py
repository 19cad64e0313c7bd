"""What a dialect is to the rest of Hookwright: a name, paths it answers, a translation, the form of its requests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookwright.core.model import SECOND, Instant, Parcel, SigningKey, Translate, WireForm
from hookwright.core.signing import signed_headers
from hookwright.operations.services import Services

if TYPE_CHECKING:
    from fastapi import FastAPI

USER_AGENT = "Hookwright/0.1 (+https://www.standardwebhooks.com)"


@dataclass(frozen=True, slots=True)
class DialectSettings:
    """What an operator may set for every dialect."""

    access_token_seconds: int | None = None  # None: as the vendor does
    rate_limits: bool = True  # whether the vendor's rate limits apply
    sign_in_on_consent: bool = True  # False only in `hookwright dev`: the consent page trusts whoever sees it


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How events read in some words, and how they are sent: all that deliveries need.

    `translate` turns an event and its typed data into notices. `forms` says how endpoints are sent to, by the dialect
    name that they and the notices carry: most dialects have one form, of their own name.
    """

    name: str
    translate: Translate
    forms: Mapping[str, WireForm]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect(Wording):
    """One foreign API: its words, and the routes through which its endpoints are made.

    `prefixes` are the paths it answers; the longest prefix wins, so `/api/v1/hooks` may be one dialect's while
    `/api/v1` is ours. `build_app` imports the routes: events are translated without them.
    """

    prefixes: tuple[str, ...]
    build_app: Callable[[Services, DialectSettings], FastAPI]


def standard_headers(parcel: Parcel, keys: tuple[SigningKey, ...], now: Instant) -> dict[str, str]:
    """JSON, signed by Standard Webhooks with every live key: for vendors that do not sign themselves."""
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signed_headers([key.key for key in keys], parcel.first.message_id, now // SECOND, parcel.body),
    }


STANDARD_FORM = WireForm(headers=standard_headers)
