"""What the routes of endpoints answer. What is secret in a custom header's value is never shown again."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel, Field

from hookwright.api.views import DeliveryView, delivery_view
from hookwright.core.health import Breaker, breaker_of, progress_percent
from hookwright.core.model import Endpoint, EndpointStatus, Health, Instant, Ordering, SignatureScheme, Subscription
from hookwright.core.times import iso_micros, iso_or_none
from hookwright.operations.own_endpoints import VerifyingKey
from hookwright.store.base import MOST_WAITING, BlockedLine

HIDDEN = "…"


class SubscriptionView(BaseModel):
    event: str
    resource: str | None = Field(description="null: any resource")


class HealthView(BaseModel):
    """How an endpoint has fared since its last success."""

    failing_since: str | None = Field(description="null unless its latest attempt failed.")
    failures: int = Field(description="In a row.")
    progress_percent: int = Field(description="How much of the five days has passed after which failing disables.")
    breaker: Breaker = Field(description="While it is open nothing is sent; half open, one request at a time.")
    breaker_open_until: str | None = Field(description="null unless the breaker is open.")


class EndpointView(BaseModel):
    id: int
    account: int
    site: int | None
    dialect: str
    url: str
    subscriptions: list[SubscriptionView]
    name: str
    description: str
    headers: dict[str, str] = Field(description="The names of the custom headers; their values are hidden.")
    signature: SignatureScheme
    status: EndpointStatus
    status_reason: str | None
    status_changed_at: str
    health: HealthView
    retry_schedule: list[int] | None
    max_in_flight: int | None = Field(description="How many requests may be under way at once; null: no limit.")
    rate_per_second: int | None = Field(description="How many requests may be sent in a second; null: no limit.")
    ordering: Ordering = Field(description="What goes one after another: nothing, everything, or by ordering key.")
    created_at: str
    updated_at: str


class EndpointWithKey(EndpointView):
    """What its receiver verifies with: `signing_secret` for v1, `verification_key` for v1a; the other is null."""

    signing_secret: str | None = Field(description="`whsec_…`, the secret that both sides share.")
    verification_key: str | None = Field(description="`whpk_…`, an Ed25519 public key.")


class VerifyingKeyView(BaseModel):
    """`signing_secret` for v1, `verification_key` for v1a; the other is null."""

    signing_secret: str | None
    verification_key: str | None


class VerifyingKeys(BaseModel):
    """Every live one, newest first: each of them signs. One of the lists is empty."""

    signing_secrets: list[str]
    verification_keys: list[str]


class BlockedLineView(BaseModel):
    """Deliveries that wait for one that has failed and is to be tried again."""

    ordering_key: str | None = Field(description="null: the line of all the endpoint's deliveries.")
    head: DeliveryView
    waiting: int = Field(description=f"How many wait behind it, counted up to {MOST_WAITING:,}.")


class BlockedLines(BaseModel):
    data: list[BlockedLineView] = Field(description="The longest blocked first; at most 100.")


class EndpointPage(BaseModel):
    data: list[EndpointView]
    next_cursor: str | None


def endpoint_view(endpoint: Endpoint, now: Instant, headers: Iterable[str] = ()) -> EndpointView:
    """An endpoint with the names of its custom headers, and how it fares at this moment."""
    return EndpointView(
        id=endpoint.id,
        account=endpoint.account_id,
        site=endpoint.site_id,
        dialect=endpoint.dialect,
        url=endpoint.url,
        subscriptions=[_subscription_view(each) for each in endpoint.subscriptions],
        name=endpoint.name,
        description=endpoint.description,
        headers=dict.fromkeys(headers, HIDDEN),
        signature=endpoint.signature,
        status=endpoint.status,
        status_reason=endpoint.status_reason,
        status_changed_at=iso_micros(endpoint.status_changed_at),
        health=_health_view(endpoint.health, now),
        retry_schedule=None if endpoint.retry_schedule is None else list(endpoint.retry_schedule),
        max_in_flight=endpoint.max_in_flight,
        rate_per_second=endpoint.rate_per_second,
        ordering=endpoint.ordering,
        created_at=iso_micros(endpoint.created_at),
        updated_at=iso_micros(endpoint.updated_at),
    )


def blocked_lines_view(blocked: Iterable[BlockedLine]) -> BlockedLines:
    return BlockedLines(
        data=[
            BlockedLineView(ordering_key=each.head.line or None, head=delivery_view(each.head), waiting=each.waiting)
            for each in blocked
        ]
    )


def verifying_keys_view(keys: Sequence[VerifyingKey]) -> VerifyingKeys:
    return VerifyingKeys(
        signing_secrets=[key.signing_secret for key in keys if key.signing_secret is not None],
        verification_keys=[key.verification_key for key in keys if key.verification_key is not None],
    )


def verifying_key_view(key: VerifyingKey) -> VerifyingKeyView:
    return VerifyingKeyView(signing_secret=key.signing_secret, verification_key=key.verification_key)


def endpoint_with_key(shown: EndpointView, key: VerifyingKey) -> EndpointWithKey:
    return EndpointWithKey(
        **shown.model_dump(), signing_secret=key.signing_secret, verification_key=key.verification_key
    )


def _health_view(health: Health, now: Instant) -> HealthView:
    breaker = breaker_of(health, now)
    return HealthView(
        failing_since=iso_or_none(health.failing_since),
        failures=health.failures,
        progress_percent=progress_percent(health, now),
        breaker=breaker,
        breaker_open_until=iso_or_none(health.breaker_open_until) if breaker == "open" else None,
    )


def _subscription_view(subscription: Subscription) -> SubscriptionView:
    return SubscriptionView(event=subscription.event, resource=subscription.resource or None)
