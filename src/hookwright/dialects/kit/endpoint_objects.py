"""The vendor's webhook endpoint object. Source: Kit openapi v4.json, "Get a webhook endpoint".

It never has the signing secret: that is in the answers to a creation and a rotation alone.
"""

from collections.abc import Sequence
from typing import Literal

from hookwright.core.model import Endpoint, OAuthApp, SigningSecret
from hookwright.core.times import iso_seconds
from hookwright.dialects.kit.payloads import JsonObject
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import live_secrets

ShownStatus = Literal["active", "disabled"]


async def describe_endpoint(services: Services, endpoint: Endpoint) -> JsonObject:
    """The object of an endpoint as it is now."""
    app = None if endpoint.app_id is None else await services.store.app(endpoint.app_id)
    return endpoint_object(endpoint, app, await live_secrets(services, endpoint.account_id, endpoint.id))


def endpoint_object(endpoint: Endpoint, app: OAuthApp | None, secrets: Sequence[SigningSecret]) -> JsonObject:
    """The object of an endpoint, from the app that made it, if that still exists, and its live secrets, newest first.

    Kit publishes no shape of `created_by_app`: ours is `{"id", "name"}`.
    """
    return {
        "id": endpoint.id,
        "name": endpoint.name,
        "url": endpoint.url,
        "events": sorted(subscription.event for subscription in endpoint.subscriptions),
        "status": shown_status(endpoint),
        "source": "creator" if endpoint.app_id is None else "app",
        "description": endpoint.description,
        "created_by_app": None if app is None else {"id": app.id, "name": app.name},
        "created_at": iso_seconds(endpoint.created_at),
        "previous_secret_expires_at": _previous_secret_expires_at(secrets),
    }


def shown_status(endpoint: Endpoint) -> ShownStatus:
    """`disabled` stands for both: its owner has paused it, or we have stopped sending to it."""
    return "active" if endpoint.status == "active" else "disabled"


def _previous_secret_expires_at(secrets: Sequence[SigningSecret]) -> str | None:
    expiries = [secret.expires_at for secret in secrets[1:] if secret.expires_at is not None]
    return iso_seconds(max(expiries)) if expiries else None
