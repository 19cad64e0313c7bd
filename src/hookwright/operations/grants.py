"""Tokens: what an OAuth token endpoint hands out, for the dialects whose vendors use them."""

from typing import Literal, NamedTuple

from hookwright.ambient import digest, matches, new_token, token_id
from hookwright.core.errors import Unauthorized
from hookwright.core.model import DAY, SECOND, Grant, Instant, Key, KeyKind, OAuthCode
from hookwright.operations.services import Services

ACCESS_PREFIXES: dict[KeyKind, str] = {"kajabi": "kjat", "kit": "kitat"}
REFRESH_PREFIXES: dict[KeyKind, str] = {"kajabi": "kjrt", "kit": "kitrt"}
REFRESH_LIFETIME: Instant = 90 * DAY

TokenFault = Literal["invalid", "expired", "revoked", "spent"]


class TokenRefused(Unauthorized):
    """A token that is not good now; `fault` says in which way, since some vendors answer each differently."""

    def __init__(self, fault: TokenFault, grant: Grant | None = None) -> None:
        super().__init__(f"the token is {fault}")
        self.fault = fault
        self.grant = grant


class Tokens(NamedTuple):
    """A new grant and its two tokens, which nobody can see again."""

    grant: Grant
    access: str
    refresh: str
    expires_in_seconds: int


class GrantRequest(NamedTuple):
    """What a new grant is for. `family_id` None begins a new family; `key_digest` is that of the secret shown."""

    kind: KeyKind
    account_id: int
    scopes: tuple[str, ...]
    access_seconds: int
    key_id: int | None = None
    key_digest: bytes | None = None
    app_id: int | None = None
    family_id: int | None = None


async def issue_tokens(services: Services, request: GrantRequest) -> Tokens:
    """A new pair of tokens."""
    tokens = await _mint(services, request)
    await services.store.add_grant(tokens.grant)
    return tokens


async def redeem_code(services: Services, code: OAuthCode, access_seconds: int) -> Tokens | None:
    """The tokens of an authorization code, or None when it was spent before; then its whole family ends."""
    request = GrantRequest(
        "kit",
        code.account_id,
        (code.scope,),
        access_seconds,
        key_id=code.key_id,
        key_digest=code.key_digest,
        app_id=code.app_id,
        family_id=code.id,
    )
    tokens = await _mint(services, request)
    now = services.clock.now()
    if await services.store.redeem_code(code.id, tokens.grant, now):
        return tokens
    # RFC 9700 §4.5: a code that is used twice has leaked, so what it bought must end.
    await services.store.revoke_family(code.account_id, code.id, now)
    return None


async def refresh_tokens(services: Services, spent: Grant, access_seconds: int) -> Tokens:
    """A new pair for a refresh token that is used up by this. Raises TokenRefused("spent") when it already was.

    A second use means that the token has leaked: every grant of its family ends (RFC 9700 §4.14).
    """
    request = GrantRequest(
        spent.kind,
        spent.account_id,
        spent.scopes,
        access_seconds,
        key_id=spent.key_id,
        key_digest=spent.key_digest,
        app_id=spent.app_id,
        family_id=spent.family_id,
    )
    tokens = await _mint(services, request)
    now = services.clock.now()
    if not await services.store.refresh_grant(spent.id, tokens.grant, now):
        await services.store.revoke_family(spent.account_id, spent.family_id, now)
        raise TokenRefused("spent", spent)
    return tokens


async def authenticate_access(services: Services, kind: KeyKind, token: str) -> Grant:
    """The grant of a live access token. Raises TokenRefused."""
    grant = await _find(services, kind, token, ACCESS_PREFIXES[kind])
    if not matches(token, grant.access_digest):
        raise TokenRefused("invalid")
    live = _live(grant, grant.access_expires_at, services.clock.now())
    if live.key_id is not None:
        services.key_uses.add(live.key_id)
    return live


async def authenticate_refresh(services: Services, kind: KeyKind, token: str) -> Grant:
    """The grant of a refresh token that is neither revoked nor expired; it may be spent. Raises TokenRefused."""
    grant = await _find(services, kind, token, REFRESH_PREFIXES[kind])
    if not matches(token, grant.refresh_digest):
        raise TokenRefused("invalid")
    return _live(grant, grant.refresh_expires_at or 0, services.clock.now())


async def revoke_token(services: Services, kind: KeyKind, token: str, account_id: int | None = None) -> Grant | None:
    """End both tokens of the pair that a token belongs to.

    None when it is no token of ours, or not of this account if one is given.
    """
    for prefix in (ACCESS_PREFIXES[kind], REFRESH_PREFIXES[kind]):
        if token_id(token, prefix) is None:
            continue
        try:
            grant = await _find(services, kind, token, prefix)
        except TokenRefused:
            return None
        if account_id not in (None, grant.account_id):
            return None
        if matches(token, grant.access_digest) or matches(token, grant.refresh_digest):
            await services.store.revoke_grant(grant.id, services.clock.now())
            return grant
    return None


async def _find(services: Services, kind: KeyKind, token: str, prefix: str) -> Grant:
    grant_id = token_id(token, prefix)
    grant = await services.store.grant(grant_id) if grant_id is not None else None
    if grant is None or grant.kind != kind:
        raise TokenRefused("invalid")
    return grant


def _live(grant: Grant, expires_at: Instant, now: Instant) -> Grant:
    if grant.revoked_at is not None:
        raise TokenRefused("revoked", grant)
    if expires_at <= now:
        raise TokenRefused("expired", grant)
    return grant


async def _mint(services: Services, request: GrantRequest) -> Tokens:
    grant_id = await services.store.new_id(request.account_id)
    access = new_token(ACCESS_PREFIXES[request.kind], grant_id)
    refresh = new_token(REFRESH_PREFIXES[request.kind], grant_id)
    now = services.clock.now()
    key = None if request.key_id is None else await services.store.key(request.key_id)
    access_ends = _no_later_than(key, now + request.access_seconds * SECOND)
    grant = Grant(
        id=grant_id,
        kind=request.kind,
        account_id=request.account_id,
        key_id=request.key_id,
        key_digest=request.key_digest,
        app_id=request.app_id,
        family_id=request.family_id or grant_id,
        scopes=request.scopes,
        access_digest=digest(access),
        access_expires_at=access_ends,
        refresh_digest=digest(refresh),
        refresh_expires_at=_no_later_than(key, now + REFRESH_LIFETIME),
        created_at=now,
    )
    return Tokens(grant, access, refresh, max(0, -(-(access_ends - now) // SECOND)))


def _no_later_than(key: Key | None, ends: Instant) -> Instant:
    """When a token ends that was to live until then: no token outlives the key that it was granted with."""
    return ends if key is None or key.expires_at is None else min(ends, key.expires_at)
