"""What a person does to an endpoint: send a sample, pause, activate, recover, delete, see and rotate its secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from hookwright.console.confirming import problem_of_key
from hookwright.console.endpoint_sheet import endpoint_in
from hookwright.console.pages import with_query
from hookwright.console.surface import PREFIX
from hookwright.console.visits import Visit, for_those_who_change, see_other
from hookwright.core.errors import NotFound
from hookwright.core.model import OWN_DIALECT, Endpoint, EndpointStatus
from hookwright.operations.endpoints import delete_endpoint, set_status
from hookwright.operations.own_endpoints import VerifyingKey, reveal_verifying_keys, rotate_verifying_key
from hookwright.operations.replays import DEFAULT_RATE_PER_SECOND, recover_endpoint
from hookwright.operations.samples import send_sample

PATH = f"{PREFIX}/endpoints"
ONE = f"{PATH}/{{id}}"

STATUSES: dict[str, EndpointStatus] = {"active": "active", "paused": "paused"}


async def send_one_sample(visit: Visit) -> Response:
    """Send a sample of the chosen type, or of the first that fits, and show its delivery."""
    endpoint = await endpoint_in(visit, visit.path_id())
    type = visit.field("type") or None
    delivery = await send_sample(visit.services, endpoint.account_id, endpoint.id, type)
    return see_other(f"{PREFIX}/deliveries/{delivery.id}?q=endpoint:{endpoint.id}")


async def change_status(visit: Visit) -> Response:
    """Pause or activate an endpoint, and show it."""
    endpoint = await endpoint_in(visit, visit.path_id())
    status = STATUSES.get(visit.field("status"))
    if status is None:
        raise NotFound("There is nothing here.")
    await set_status(visit.services, endpoint.account_id, endpoint.id, status)
    return _told(endpoint, "paused" if status == "paused" else "active again")


async def recover(visit: Visit) -> Response:
    """Activate an endpoint and replay what it missed; then show how that goes."""
    endpoint = await endpoint_in(visit, visit.path_id())
    replay = await recover_endpoint(visit.services, endpoint.account_id, endpoint.id, None, DEFAULT_RATE_PER_SECOND)
    return see_other(f"{PREFIX}/accounts/{endpoint.account_id}/replays/{replay.id}")


async def ask_before_deletion(visit: Visit) -> Response:
    """What is lost with an endpoint, before it is."""
    endpoint = await endpoint_in(visit, visit.path_id())
    return await visit.page("endpoint_delete.html", endpoint=endpoint)


async def delete(visit: Visit) -> Response:
    """Delete an endpoint, and show the others."""
    endpoint = await endpoint_in(visit, visit.path_id())
    await delete_endpoint(visit.services, endpoint.account_id, endpoint.id, None)
    return see_other(with_query(PATH, told=f"endpoint {endpoint.id} was deleted"))


async def ask_before_secrets(visit: Visit) -> Response:
    """Ask for the key again, since whoever sits here now may be somebody else."""
    return await _secrets_page(visit, await _own_endpoint_in(visit))


async def reveal_secrets(visit: Visit) -> Response:
    """What the receiver verifies with, on a page that nothing keeps."""
    endpoint = await _own_endpoint_in(visit)
    if problem := await problem_of_key(visit):
        return await _secrets_page(visit, endpoint, problem=problem, status=403)
    keys = await reveal_verifying_keys(visit.services, endpoint.account_id, endpoint.id)
    return await _secrets_page(visit, endpoint, keys=keys)


async def rotate_secrets(visit: Visit) -> Response:
    """A new secret; the older ones also sign for 24 hours."""
    endpoint = await _own_endpoint_in(visit)
    if problem := await problem_of_key(visit):
        return await _secrets_page(visit, endpoint, problem=problem, status=403)
    await rotate_verifying_key(visit.services, endpoint.account_id, endpoint.id)
    keys = await reveal_verifying_keys(visit.services, endpoint.account_id, endpoint.id)
    return await _secrets_page(visit, endpoint, keys=keys, is_rotated=True)


async def _own_endpoint_in(visit: Visit) -> Endpoint:
    """Raises NotFound for one of a dialect: its secret is the account's, or its own API's."""
    endpoint = await endpoint_in(visit, visit.path_id())
    if endpoint.dialect != OWN_DIALECT:
        raise NotFound("There is nothing here.")
    return endpoint


async def _secrets_page(
    visit: Visit,
    endpoint: Endpoint,
    *,
    keys: Sequence[VerifyingKey] = (),
    problem: str = "",
    is_rotated: bool = False,
    status: int = 200,
) -> Response:
    shown: dict[str, Any] = {"keys": keys, "problem": problem, "is_rotated": is_rotated}
    return await visit.page("endpoint_secrets.html", status=status, endpoint=endpoint, **shown)


def _told(endpoint: Endpoint, told: str) -> Response:
    return see_other(with_query(f"{PATH}/{endpoint.id}", told=told))


ROUTES = (
    Route(f"{ONE}/sample", for_those_who_change(send_one_sample), methods=["POST"]),
    Route(f"{ONE}/status", for_those_who_change(change_status), methods=["POST"]),
    Route(f"{ONE}/recover", for_those_who_change(recover), methods=["POST"]),
    Route(f"{ONE}/delete", for_those_who_change(ask_before_deletion), methods=["GET"]),
    Route(f"{ONE}/delete", for_those_who_change(delete), methods=["POST"]),
    Route(f"{ONE}/secrets", for_those_who_change(ask_before_secrets), methods=["GET"]),
    Route(f"{ONE}/secrets/reveal", for_those_who_change(reveal_secrets), methods=["POST"]),
    Route(f"{ONE}/secrets/rotate", for_those_who_change(rotate_secrets), methods=["POST"]),
)
