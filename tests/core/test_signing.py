"""Standard Webhooks signatures, checked against the specification's own library."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from hookwright.core.signing import decode_secret, encode_secret, sign, signed_headers

# https://docs.svix.com/receiving/verifying-payloads/how-manual prints this example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
TIMESTAMP = 1_614_265_330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEYS = st.binary(min_size=24, max_size=64)


def test_the_published_example_has_the_published_signature() -> None:
    assert sign([decode_secret(SECRET)], MESSAGE_ID, TIMESTAMP, BODY) == SIGNATURE


def test_every_live_key_signs_in_order() -> None:
    new, old = bytes(24), decode_secret(SECRET)
    first, second = sign([new, old], MESSAGE_ID, TIMESTAMP, BODY).split(" ")
    assert first == sign([new], MESSAGE_ID, TIMESTAMP, BODY)
    assert second == SIGNATURE


def test_the_headers_carry_id_timestamp_and_signature() -> None:
    assert signed_headers([decode_secret(SECRET)], MESSAGE_ID, TIMESTAMP, BODY) == {
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": SIGNATURE,
    }


@given(KEYS, KEYS)
def test_the_reference_library_accepts_what_we_sign_with_either_key(new: bytes, old: bytes) -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = signed_headers([new, old], MESSAGE_ID, now, BODY)
    for key in (new, old):
        assert Webhook(encode_secret(key)).verify(BODY, headers) == {"test": 2432232314}


def test_the_reference_library_refuses_a_changed_body() -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = signed_headers([decode_secret(SECRET)], MESSAGE_ID, now, BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)


@given(KEYS)
def test_a_secret_comes_back_as_the_key_it_was_made_of(key: bytes) -> None:
    assert decode_secret(encode_secret(key)) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_not base64!",
        "whsec_é",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        encode_secret(bytes(23)),
        encode_secret(bytes(65)),
    ],
)
def test_what_is_no_secret_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="a signing secret") as refused:
        decode_secret(text)
    assert not text or text not in str(refused.value)
