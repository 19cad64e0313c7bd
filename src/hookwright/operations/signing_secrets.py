"""Signing secrets: of an account, or of an endpoint that has its own. Shown when made; sealed at rest."""

from collections.abc import Sequence

from hookwright.ambient import new_signing_key
from hookwright.core.errors import Conflict
from hookwright.core.model import DAY, Binding, Instant, SigningSecret
from hookwright.core.signing import encode_secret
from hookwright.operations.audit import new_entry, note
from hookwright.operations.services import Services
from hookwright.store.base import MAX_LIVE_SECRETS

ROTATION_OVERLAP: Instant = DAY


async def new_secret(services: Services, account_id: int, endpoint_id: int | None) -> tuple[SigningSecret, str]:
    """A secret that is not kept yet, and its `whsec_` text."""
    key = new_signing_key()
    secret = SigningSecret(
        id=await services.store.new_id(account_id),
        account_id=account_id,
        endpoint_id=endpoint_id,
        sealed=services.vault.seal(Binding("signing secret", account_id, endpoint_id), key),
        created_at=services.clock.now(),
    )
    return secret, encode_secret(key)


async def live_secrets(services: Services, account_id: int, endpoint_id: int | None) -> list[SigningSecret]:
    """The secrets that sign now, newest first."""
    return await services.store.signing_secrets(account_id, endpoint_id, services.clock.now())


async def live_secrets_of(
    services: Services, account_id: int, endpoint_ids: Sequence[int]
) -> dict[int, list[SigningSecret]]:
    """The secrets of many endpoints that sign now, newest first."""
    owners = [(account_id, endpoint_id) for endpoint_id in endpoint_ids]
    found = await services.store.signing_secrets_of(owners, services.clock.now())
    return {endpoint_id: secrets for (_, endpoint_id), secrets in found.items() if endpoint_id is not None}


async def reveal_secrets(services: Services, account_id: int, endpoint_id: int | None) -> list[str]:
    """The `whsec_` texts of the secrets that sign now, newest first."""
    secrets = await live_secrets(services, account_id, endpoint_id)
    await note(services, "signing_secret.revealed", endpoint_id or account_id, account_id)
    return [encode_secret(services.vault.open(secret.binding, secret.sealed)) for secret in secrets]


async def rotate_secret(
    services: Services, account_id: int, endpoint_id: int | None, at_most: int = MAX_LIVE_SECRETS
) -> str:
    """A new secret; the older ones also sign for 24 hours. Raises Conflict when `at_most` are live already."""
    secret, text = await new_secret(services, account_id, endpoint_id)
    expiry = services.clock.now() + ROTATION_OVERLAP
    entry = await new_entry(services, "signing_secret.rotated", endpoint_id or account_id, account_id)
    if not await services.store.rotate_signing_secret(secret, expiry, entry, at_most=at_most):
        raise Conflict(f"{at_most} signing secrets are live already")
    return text


async def revoke_previous_secrets(services: Services, account_id: int, endpoint_id: int | None) -> None:
    """End every secret but the newest."""
    entry = await new_entry(services, "signing_secret.revoked", endpoint_id or account_id, account_id)
    await services.store.expire_previous_secrets(account_id, endpoint_id, services.clock.now(), entry)
