"""What a request for a hook says, whatever it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.addresses import TargetPolicy
from hookwright.core.errors import Invalid, Problem
from hookwright.core.model import ANY_RESOURCE, Site
from hookwright.dialects.kajabi.events import EVENTS
from hookwright.dialects.kajabi.hook_requests import HookRequest, read_hook_request

from .conftest import hook

SITE = Site(id=2, account_id=1, title="Ada's site", subdomain="ada", created_at=0, updated_at=0)
PRODUCTION = TargetPolicy()

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(("2", *EVENTS))
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)


def one_of(names: tuple[str, ...], values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.dictionaries(st.sampled_from(names), values)


ATTRIBUTES = one_of(("event", "target_url", "resource_id"), JSON)
SITES = one_of(("site",), one_of(("data",), one_of(("id", "type"), JSON) | JSON) | JSON)
HOOKS = one_of(("type", "attributes", "relationships"), ATTRIBUTES | SITES | JSON)


def read(document: object) -> HookRequest | tuple[Problem, ...]:
    try:
        return read_hook_request(document, [SITE], PRODUCTION)
    except Invalid as refusal:
        return refusal.problems


@given(one_of(("data",), HOOKS) | JSON)
def test_whatever_is_sent_is_a_hook_or_a_list_of_problems(document: object) -> None:
    assert read(document) != ()


def test_a_whole_request_is_read() -> None:
    document = hook("purchase", "https://example.com/webhook", 2, resource_id="5")
    assert read_hook_request(document, [SITE], PRODUCTION) == HookRequest(
        "purchase", "https://example.com/webhook", "5", 2
    )


def test_without_a_resource_the_hook_is_a_wildcard() -> None:
    assert read_hook_request(hook(), [SITE], PRODUCTION).resource == ANY_RESOURCE


@pytest.mark.parametrize(
    "target_url",
    [
        "http://example.com/webhook",
        "https://127.0.0.1/webhook",
        "https://[::1]/webhook",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost/webhook",
    ],
)
def test_a_target_that_is_not_public_https_is_refused_with_the_reason(target_url: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_hook_request(hook(target_url=target_url), [SITE], PRODUCTION)
    (problem,) = refusal.value.problems
    assert problem.pointer == "/data/attributes/target_url"
    assert len(problem.message) > len("Target url is invalid: ")
