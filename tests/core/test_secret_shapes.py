"""What our secrets look like, wherever they turn up."""

import pytest

from hookwright.ambient import new_signing_key, new_token, public_id
from hookwright.core.errors import Invalid, NotFound, Problem
from hookwright.core.secret_shapes import LEFT_OUT, without_secrets
from hookwright.core.signing import encode_public_key, encode_secret
from hookwright.operations.apps import CLIENT_SECRET_PREFIX
from hookwright.operations.codes import CODE_PREFIX
from hookwright.operations.grants import ACCESS_PREFIXES, REFRESH_PREFIXES
from hookwright.operations.keys import SECRET_PREFIXES

PREFIXES = (
    *SECRET_PREFIXES.values(),
    *ACCESS_PREFIXES.values(),
    *REFRESH_PREFIXES.values(),
    CODE_PREFIX,
    CLIENT_SECRET_PREFIX,
)


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("row", [0, 64, 2**53 - 1])
def test_every_kind_of_token_is_left_out_and_half_of_it_too(prefix: str, row: int) -> None:
    token = new_token(prefix, row)
    assert without_secrets(f"'{token}', /{token}/x?key={token}") == f"'{LEFT_OUT}', /{LEFT_OUT}/x?key={LEFT_OUT}"
    assert without_secrets(token[:-40]) == LEFT_OUT


def test_a_signing_secret_is_left_out_and_a_public_key_is_not() -> None:
    assert without_secrets(f'{{"secret":"{encode_secret(new_signing_key())}"}}') == f'{{"secret":"{LEFT_OUT}"}}'
    for text in (encode_public_key(bytes(32)), public_id("kj", 64), "contact.tag_added", "subscriber_tag_add_1234"):
        assert without_secrets(text) == text


def test_no_refusal_holds_a_secret_whoever_sent_it() -> None:
    token = new_token("hw", 64)
    refusals = (NotFound(f"{token} does not exist"), Invalid(Problem(f"/data/{token}", f"not {token}")))
    assert token not in "".join(map(str, refusals))
    assert refusals[1].problems == (Problem(f"/data/{LEFT_OUT}", f"not {LEFT_OUT}"),)
