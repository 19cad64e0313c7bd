"""What a request for a new hook says: a function of the document, the account's sites and the target policy.

The details are Rails' sentences, and the codes and pointers those of jsonapi.rb; see `errors.py`. A value that the
hook itself would refuse has a code; a part without which there is nothing to refuse, as `params.require` misses it,
has none.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hookwright.core.addresses import TargetPolicy, target_problem
from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import ANY_RESOURCE, Site
from hookwright.dialects.kajabi.errors import MISSING
from hookwright.dialects.kajabi.events import EVENTS

ATTRIBUTES = "/data/attributes"
SITE = "/data/relationships/site"
TYPE = (
    f"{ATTRIBUTES}/type"  # jsonapi.rb points at attributes whatever the missing key, but the three that hold others
)
MAX_RESOURCE_ID = 2**63 - 1  # Kajabi's ids are PostgreSQL bigints

_NOT_A_SITE_IDENTIFIER = Problem(
    SITE, 'Site is invalid: it must be {"data": {"id": "…", "type": "sites"}}', "invalid"
)


class HookRequest(NamedTuple):
    """A hook that may be created. `resource` is ANY_RESOURCE for a wildcard hook."""

    event: str
    target_url: str
    resource: str
    site_id: int


def read_hook_request(document: object, sites: Sequence[Site], policy: TargetPolicy) -> HookRequest:
    """The hook that a document asks for. Raises Invalid with every problem that it has, each with its pointer."""
    data = _member(document, "data")
    attributes = _member(data, "attributes")
    event = _event(attributes.get("event"))
    target_url = _target_url(attributes.get("target_url"), policy)
    resource = _resource(attributes.get("resource_id"))
    site_id = _site_id(data.get("relationships"), sites)
    found = (_type_problem(data.get("type")), event, target_url, resource, site_id)
    if problems := [value for value in found if isinstance(value, Problem)]:
        raise Invalid(*problems)
    assert isinstance(event, str)
    assert isinstance(target_url, str)
    assert isinstance(resource, str)
    assert isinstance(site_id, int)
    return HookRequest(event, target_url, resource, site_id)


def _member(document: object, name: str) -> Mapping[str, object]:
    """An object without which nothing else can be read; jsonapi.rb blames the whole document for its absence."""
    member = document.get(name) if isinstance(document, dict) else None
    if not isinstance(member, dict):
        raise Invalid(Problem("", f"param is missing or the value is empty: {name}", MISSING))
    return member


def _type_problem(type: object) -> Problem | None:
    if type == "hooks":
        return None
    if type is None:
        return Problem(TYPE, "param is missing or the value is empty: type", MISSING)
    return Problem(TYPE, "Type is not included in the list", "inclusion")


def _event(event: object) -> str | Problem:
    pointer = f"{ATTRIBUTES}/event"
    if event is None or event == "":
        return Problem(pointer, "Event can't be blank", "blank")
    if isinstance(event, str) and event in EVENTS:
        return event
    return Problem(pointer, "Event is not included in the list", "inclusion")


def _target_url(url: object, policy: TargetPolicy) -> str | Problem:
    pointer = f"{ATTRIBUTES}/target_url"
    if url is None or (isinstance(url, str) and not url.strip()):
        return Problem(pointer, "Target url can't be blank", "blank")
    if not isinstance(url, str):
        return Problem(pointer, "Target url is invalid: must be a string", "invalid")
    if reason := target_problem(url, policy):
        return target_refused(reason)
    return url


def target_refused(reason: str) -> Problem:
    """The problem of a target URL that the service does not send to."""
    return Problem(f"{ATTRIBUTES}/target_url", f"Target url is invalid: {reason}", "invalid")


def _resource(resource_id: object) -> str | Problem:
    """Kajabi declares an integer or null and gives a numeric string as its example; Rails casts "" to null."""
    pointer = f"{ATTRIBUTES}/resource_id"
    if resource_id is None or resource_id == "":
        return ANY_RESOURCE
    number = _whole_number(resource_id)
    if number is None:
        return Problem(pointer, "Resource is invalid: must be a number", "invalid")
    if number > MAX_RESOURCE_ID:
        return Problem(pointer, f"Resource is invalid: must be at most {MAX_RESOURCE_ID}", "invalid")
    return str(number)


def _site_id(relationships: object, sites: Sequence[Site]) -> int | Problem:
    """The site that a document names, or the only one of an account that has one."""
    if relationships is None:
        return _only_site(sites)
    if not isinstance(relationships, dict):
        return _NOT_A_SITE_IDENTIFIER
    site = relationships.get("site")
    identifier = site.get("data") if isinstance(site, dict) else site
    if identifier is None:
        return _only_site(sites)
    if not isinstance(identifier, dict) or identifier.get("type") != "sites":
        return _NOT_A_SITE_IDENTIFIER
    named = _whole_number(identifier.get("id"))
    return _existing_site(named, sites)


def _only_site(sites: Sequence[Site]) -> int | Problem:
    if len(sites) == 1:
        return sites[0].id
    reason = "the account has none" if not sites else f"the account has {len(sites)}, so the request has to name one"
    return Problem(SITE, f"Site must exist: {reason}", "blank")


def _existing_site(site_id: int | None, sites: Sequence[Site]) -> int | Problem:
    if any(site.id == site_id for site in sites):
        assert site_id is not None
        return site_id
    return Problem(SITE, "Site must exist", "blank")


def _whole_number(value: object) -> int | None:
    """A number from 0, given as an integer or as its digits; more than 20 digits are none that anybody means."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value >= 0 else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        return int(value)
    return None
