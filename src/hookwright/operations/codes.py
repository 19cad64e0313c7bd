"""Authorization codes: what a consent gives an app to fetch its tokens with."""

from hookwright.ambient import digest, matches, new_token, token_id
from hookwright.core.model import SECOND, OAuthApp, OAuthCode
from hookwright.operations.audit import new_entry
from hookwright.operations.services import Services

CODE_PREFIX = "kitcode"
CODE_LIFETIME_SECONDS = 60


async def issue_code(
    services: Services, app: OAuthApp, account_id: int, redirect_uri: str, challenge: str | None, scope: str
) -> str:
    """A new code for an app that an account lets in; good once, for a minute, for this redirect URI only.

    Whoever consents with a key ends what the code buys by rotating or deleting that key.
    """
    code_id = await services.store.new_id(account_id)
    text = new_token(CODE_PREFIX, code_id)
    now = services.clock.now()
    with_key = services.actor.kind == "key"
    code = OAuthCode(
        id=code_id,
        account_id=account_id,
        app_id=app.id,
        digest=digest(text),
        redirect_uri=redirect_uri,
        challenge=challenge,
        scope=scope,
        created_at=now,
        expires_at=now + CODE_LIFETIME_SECONDS * SECOND,
        key_id=services.actor.id if with_key else None,
        key_digest=services.actor.key_digest if with_key else None,
    )
    await services.store.add_code(code, await new_entry(services, "app.let_in", app.id, account_id))
    return text


async def find_code(services: Services, text: str) -> OAuthCode | None:
    """The code that somebody presents, spent and expired ones too; None when it is none of ours."""
    code_id = token_id(text, CODE_PREFIX)
    code = await services.store.code(code_id) if code_id is not None else None
    return code if code is not None and matches(text, code.digest) else None
