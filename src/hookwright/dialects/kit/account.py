"""`GET /v4/account`, with which most clients check their credential.

Source: Kit openapi v4.json, "Get current account". Hookwright knows an account's id, name and birthday; the rest
are constants that a client can live with.
"""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from hookwright.core.model import Account
from hookwright.core.times import iso_seconds
from hookwright.dialects.kit.credentials import DOCUMENTED_SECURITY, AccountId
from hookwright.dialects.kit.documented import RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE, refusals
from hookwright.dialects.kit.schemas import CurrentAccount, Errors
from hookwright.dialects.kit.surface import KitJson, KitSurface
from hookwright.operations.accounts import require_account

PLAN_TYPE = "creator"

router = APIRouter(
    tags=["Accounts"],
    dependencies=list(DOCUMENTED_SECURITY),
    responses={**refusals(Errors, UNAUTHENTICATED, UNAVAILABLE), **RATE_LIMITED},
)


@router.get("/v4/account", responses={200: {"model": CurrentAccount}})
async def get_current_account(surface: KitSurface, account_id: AccountId) -> Response:
    """The account that the credential belongs to."""
    return KitJson(current_account(await require_account(surface.services, account_id)))


def current_account(account: Account) -> dict[str, Any]:
    """The vendor's account object."""
    email = f"account-{account.id}@example.com"
    return {
        "user": {"email": email, "id": account.id},
        "account": {
            "id": account.id,
            "name": account.name,
            "plan_type": PLAN_TYPE,
            "primary_email_address": email,
            "created_at": iso_seconds(account.created_at),
            "timezone": {"name": "Etc/UTC", "friendly_name": "UTC", "utc_offset": "+00:00"},
            "sending_addresses": [_sending_address(account, email)],
            "plan": _plan(),
        },
    }


def _sending_address(account: Account, email: str) -> dict[str, Any]:
    return {
        "email_address": email,
        "from_name": account.name,
        "status": "confirmed",
        "is_default": True,
        "is_verified": True,
        "is_dmarc_configured": True,
    }


def _plan() -> dict[str, Any]:
    return {
        "plan_type": PLAN_TYPE,
        "interval": "month",
        "subscriber_limit": None,
        "on_trial": False,
        "trial_lapse_date": None,
        "renews_at": None,
        "cancels_at": None,
    }
