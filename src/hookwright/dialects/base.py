"""What a dialect is to the rest of Hookwright: a name, paths it answers, a translation and the headers it sends."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import FastAPI

from hookwright.core.model import SECOND, Claim, Instant, RequestHeaders, Translate
from hookwright.core.signing import signed_headers
from hookwright.operations.services import Services

USER_AGENT = "Hookwright/0.1 (+https://www.standardwebhooks.com)"


@dataclass(frozen=True, slots=True)
class DialectSettings:
    """What an operator may set for every dialect."""

    access_token_seconds: int | None = None  # None: as the vendor does
    rate_limits: bool = True  # whether the vendor's rate limits apply
    sign_in_on_consent: bool = True  # False only in `hookwright dev`: the consent page trusts whoever sees it


@dataclass(frozen=True, slots=True)
class Dialect:
    """One foreign API.

    `prefixes` are the paths it answers; the longest prefix wins, so `/api/v1/hooks` may be one dialect's while
    `/api/v1` is ours. `translate` turns an event into notices; `headers` are those of one delivery request.
    """

    name: str
    prefixes: tuple[str, ...]
    translate: Translate
    headers: RequestHeaders
    build_app: Callable[[Services, DialectSettings], FastAPI]


def standard_headers(claim: Claim, keys: tuple[bytes, ...], now: Instant) -> dict[str, str]:
    """JSON, signed by Standard Webhooks with the account's secret: for vendors that do not sign themselves."""
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signed_headers(keys, claim.message_id, now // SECOND, claim.body),
    }
