"""The vendor's webhook endpoint object. Source: Kit openapi v4.json, "Get a webhook endpoint".

It never has the signing secret: that is in the answers to a creation and a rotation alone.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from hookwright.core.model import Endpoint, EndpointStatus, OAuthApp, SigningSecret
from hookwright.core.times import iso_seconds
from hookwright.dialects.kit.payloads import JsonObject
from hookwright.operations.services import Services
from hookwright.operations.signing_secrets import live_secrets_of

ShownStatus = Literal["active", "disabled"]


# `disabled` stands for both: its owner has paused it, or Hookwright has stopped sending to it.
SHOWN_AS: Mapping[ShownStatus, tuple[EndpointStatus, ...]] = {
    "active": ("active",),
    "disabled": ("paused", "disabled"),
}


async def describe_endpoint(services: Services, endpoint: Endpoint) -> JsonObject:
    """The object of an endpoint as it is now."""
    [described] = await describe_endpoints(services, endpoint.account_id, [endpoint])
    return described


async def describe_endpoints(services: Services, account_id: int, endpoints: Sequence[Endpoint]) -> list[JsonObject]:
    """The objects of endpoints of an account as they are now."""
    secrets = await live_secrets_of(services, account_id, [endpoint.id for endpoint in endpoints])
    # Few apps make many endpoints: each is looked up once.
    app_ids = {endpoint.app_id for endpoint in endpoints if endpoint.app_id is not None}
    apps = {app_id: await services.store.app(app_id) for app_id in app_ids}
    return [
        endpoint_object(endpoint, apps.get(endpoint.app_id or 0), secrets.get(endpoint.id, []))
        for endpoint in endpoints
    ]


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
    """Kit's word for the status of an endpoint."""
    return "active" if endpoint.status in SHOWN_AS["active"] else "disabled"


def _previous_secret_expires_at(secrets: Sequence[SigningSecret]) -> str | None:
    expiries = [secret.expires_at for secret in secrets[1:] if secret.expires_at is not None]
    return iso_seconds(max(expiries)) if expiries else None
