"""Which scopes reach which events, and what a token gets of its key's."""

import pytest

from hookwright.dialects.kajabi.events import EVENTS, missing_scopes, narrowed


def test_an_owner_lacks_nothing() -> None:
    assert [missing_scopes(("owner",), event) for event in EVENTS] == [()] * 6


def test_what_is_missing_is_named() -> None:
    assert missing_scopes((), "order_created") == ("view:transactions", "view:orders")
    assert missing_scopes(("view:transactions",), "order_created") == ("view:orders",)
    assert missing_scopes(("view:transactions",), "payment_succeeded") == ()


@pytest.mark.parametrize(
    ("held", "requested", "given"),
    [
        (("owner",), "", ("owner",)),
        (("owner",), "owner view:contacts", ("owner",)),
        (("owner",), "view:contacts", ("view:contacts",)),
        (("owner",), "view:contacts,view:orders view:contacts", ("view:contacts", "view:orders")),
        (("owner",), "openid profile", ("owner",)),
        (("view:contacts", "view:orders"), "view:contacts", ("view:contacts",)),
        (("view:contacts",), "view:orders", ()),
        (("view:contacts",), "owner", ()),
        (("custom:scope", "view:orders"), "custom:scope", ("custom:scope",)),
        ((), "", ()),
    ],
)
def test_a_token_gets_what_it_asks_for_and_its_key_holds(
    held: tuple[str, ...], requested: str, given: tuple[str, ...]
) -> None:
    assert narrowed(held, requested) == given
