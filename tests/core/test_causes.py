"""Causes: what people are told of each way in which an attempt can fail."""

import re

import pytest

from hookwright.core.cause_rules import ANSWERS, ERRORS, FAMILIES
from hookwright.core.causes import Tried, cause_of
from hookwright.core.model import SECOND

URL = "https://hooks.example.com/in"

# Each error as the engine writes it: the error, its detail, the code of the cause, and words that must be told.
FAILED = [
    ("address_not_allowed", "the address is not allowed", "address_not_allowed", "private or reserved"),
    ("dns_failed", "the name was not resolved in time", "name_not_resolved_in_time", "hooks.example.com"),
    ("dns_failed", "the name has no address", "name_without_address", "does not resolve"),
    ("connect_refused", "the connection was refused", "refused", "nothing listens"),
    ("connect_timeout", "no connection within 5 s", "connect_timeout", "firewall"),
    ("connect_failed", "the receiver cannot be reached: there is no route to it", "no_route", "no way through"),
    ("connect_failed", "the receiver cannot be reached", "unreachable", "cannot be reached"),
    (
        "tls_failed",
        "the certificate is not accepted: certificate has expired (on 2026-11-01T00:00:00Z)",
        "certificate_expired",
        "on 2026-11-01T00:00:00Z",
    ),
    ("tls_failed", "the certificate is not accepted: certificate has expired", "certificate_expired", "Renew"),
    (
        "tls_failed",
        "the certificate is not accepted: certificate is not yet valid (from 2027-01-01T00:00:00Z on)",
        "certificate_not_yet_valid",
        "from 2027-01-01T00:00:00Z on",
    ),
    (
        "tls_failed",
        "the certificate is not accepted: Hostname mismatch, certificate is not valid for 'hooks.example.com'"
        " (it is for www.example.com)",
        "certificate_for_other_name",
        "it is for www.example.com",
    ),
    (
        "tls_failed",
        "the certificate is not accepted: IP address mismatch, certificate is not valid for '192.0.2.1'",
        "certificate_for_other_name",
        "not for",
    ),
    ("tls_failed", "the certificate is not accepted: self-signed certificate", "certificate_self_signed", "nobody"),
    (
        "tls_failed",
        "the certificate is not accepted: self-signed certificate in certificate chain",
        "certificate_of_private_authority",
        "authority",
    ),
    (
        "tls_failed",
        "the certificate is not accepted: unable to get local issuer certificate",
        "certificate_chain_incomplete",
        "fullchain.pem",
    ),
    (
        "tls_failed",
        "the certificate is not accepted: unable to verify the first certificate",
        "certificate_chain_incomplete",
        "whole chain",
    ),
    ("tls_failed", "the certificate is not accepted: certificate revoked", "certificate_revoked", "revoked"),
    ("tls_failed", "the certificate is not accepted: EE certificate key too weak", "certificate_weak", "RSA"),
    (
        "tls_failed",
        "the certificate is not accepted: unsuitable certificate purpose",
        "certificate_refused",
        "unsuitable certificate purpose",
    ),
    (
        "tls_failed",
        "the TLS handshake failed: tlsv13 alert certificate required",
        "client_certificate_wanted",
        "certificate from us",
    ),
    ("tls_failed", "the TLS handshake failed: wrong version number", "no_tls_there", "does not speak TLS"),
    ("tls_failed", "the TLS handshake failed: tlsv1 alert protocol version", "tls_too_old", "TLS 1.2"),
    ("tls_failed", "the TLS handshake failed: unsupported protocol", "tls_too_old", "not safe"),
    ("tls_failed", "the TLS handshake failed: tlsv1 unrecognized name", "tls_name_unknown", "hooks.example.com"),
    ("tls_failed", "the TLS handshake failed: sslv3 alert handshake failure", "tls_no_common_cipher", "cipher"),
    ("tls_failed", "the connection was closed during the TLS handshake", "tls_closed", "closed"),
    ("tls_failed", "the TLS handshake failed: unknown reason", "tls_failed", "openssl s_client"),
    ("timeout", "status 200, but the answer did not end within 15 s", "answer_without_end", "answered 200"),
    ("timeout", "no answer within 15 s", "timeout", "within 15 s; it took the request and was silent for 14.8 s"),
    ("reset", "the connection was closed before the end of the answer", "cut_off", "in the middle"),
    ("reset", "the connection was closed before an answer", "hung_up", "without an answer"),
    ("bad_answer", "the answer is not HTTP", "not_http", "does not speak HTTP"),
    ("bad_answer", "the answer is not HTTP/1.1", "http_version", "version of HTTP"),
    ("bad_answer", "the head of the answer is too large", "head_too_large", "larger"),
    ("bad_answer", "the answer has too many headers", "too_many_headers", "more headers"),
    ("bad_answer", "too many 1xx answers", "endless_1xx", "1xx"),
    ("bad_answer", "status 101 is no answer to a POST", "switching_protocols", "answered 101"),
    ("bad_answer", "the answer is not valid HTTP: invalid constant string", "invalid_http", "not valid HTTP"),
    ("no_listener", "nobody listens: run `hookwright listen`", "no_listener", "Nobody fetches"),
    ("not_made", "its signing secret does not open", "not_made", "its signing secret does not open."),
    ("something_new", "whatever", "unknown_error", "something_new"),
]

# Each status, what came with it, the code of the cause, and words that must be told.
ANSWERED = [
    *((status, "redirects to https://new.example.com/in", "", "redirect", "to https://new.example.com/in")
      for status in (301, 302, 303, 307, 308)),
    *((status, None, "", "redirect", f"redirects ({status})") for status in (301, 302, 303, 307, 308)),
    (304, None, "", "not_modified", "304"),
    (403, None, "<title>Just a moment...</title>", "bot_protection", "bots"),
    (403, None, "CSRF verification failed. Request aborted.", "forgery_protection", "forged"),
    (422, None, "ActionController::InvalidAuthenticityToken", "forgery_protection", "forged"),
    (401, None, '{"error":"No matching signature found"}', "signature_refused", "Verify the bytes as they arrived"),
    (400, None, "Message timestamp too old", "signature_refused", "clock"),
    (404, None, "The endpoint is offline. ERR_NGROK_3200", "tunnel_closed", "tunnel"),
    (400, None, "", "bad_request", "malformed"),
    (401, None, "", "unauthorised", "credentials"),
    (402, None, "", "payment_required", "bill"),
    (403, None, "", "forbidden", "refused us"),
    (404, None, "", "not_found", "nothing at that path of hooks.example.com"),
    (405, None, "", "method_not_allowed", "no POST"),
    (406, None, "", "not_acceptable", "406"),
    (407, None, "", "proxy_credentials", "proxy"),
    (408, None, "", "request_timeout", "408"),
    (409, None, "", "conflict", "answer 200"),
    (410, None, "", "gone", "for good"),
    (411, None, "", "length_required", "Content-Length"),
    (412, None, "", "precondition", "412"),
    (413, None, "", "too_large", "larger"),
    (414, None, "", "uri_too_long", "Shorten"),
    (415, None, "", "media_type", "application/json"),
    (419, None, "", "page_expired", "expired form"),
    (421, None, "", "misdirected", "hooks.example.com"),
    (422, None, "", "unprocessable", "understood"),
    (423, None, "", "locked", "locked"),
    (424, None, "", "failed_dependency", "424"),
    (425, None, "", "too_early", "not ready"),
    (426, None, "", "upgrade_required", "protocol"),
    (428, None, "", "precondition_required", "conditional"),
    (429, None, "", "rate_limited", "rate limit"),
    (431, None, "", "headers_too_large", "8 KB"),
    (451, None, "", "legal", "legal"),
    (499, None, "", "proxy_gave_up", "gave up"),
    (500, None, "", "server_error", "code failed"),
    (501, None, "", "not_implemented", "501"),
    (502, None, "", "bad_gateway", "proxy"),
    (503, None, "", "unavailable", "overloaded"),
    (504, None, "", "gateway_timeout", "slower"),
    (505, None, "", "version_not_supported", "HTTP/1.1"),
    (507, None, "", "storage_full", "full"),
    (508, None, "", "loop", "circle"),
    (509, None, "", "bandwidth", "allowance"),
    (511, None, "", "network_login", "login"),
    (520, None, "", "cloudflare_unknown", "Cloudflare"),
    (521, None, "", "cloudflare_down", "refused"),
    (522, None, "", "cloudflare_connect", "in time"),
    (523, None, "", "cloudflare_unreachable", "DNS"),
    (524, None, "", "cloudflare_timeout", "in time"),
    (525, None, "", "cloudflare_handshake", "TLS"),
    (526, None, "", "cloudflare_certificate", "certificate"),
    (530, None, "", "cloudflare_origin", "530"),
    (199, None, "", "interim", "199"),
    (399, None, "", "odd_redirect", "399"),
    (418, None, "", "refused_by_receiver", "418"),
    (599, None, "", "failed_at_receiver", "599"),
    (799, None, "", "odd_status", "799"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "detail", "code", "words"), FAILED)
def test_each_failure_has_a_cause_in_plain_words(error: str, detail: str, code: str, words: str) -> None:
    cause = cause_of(Tried(error=error, detail=detail, duration_us=round(14.8 * SECOND), url=URL))
    assert cause is not None
    assert cause.code == code
    assert words in f"{cause.happened} {cause.to_do}"


@pytest.mark.parametrize(("status", "detail", "body", "code", "words"), ANSWERED)
def test_each_status_has_a_cause_in_plain_words(
    status: int, detail: str | None, body: str, code: str, words: str
) -> None:
    cause = cause_of(Tried(status_code=status, detail=detail, body=body.encode(), url=URL))
    assert cause is not None
    assert cause.code == code
    assert words in f"{cause.happened} {cause.to_do}"


def test_every_rule_is_some_examples_cause() -> None:
    told = {code for *_, code, _ in FAILED} | {code for *_, code, _ in ANSWERED}
    known = {rule.code for rule in (*ERRORS, *ANSWERS)} | {code for _, code, _, _ in FAMILIES}
    assert known <= told
    assert len(known) >= 80


def test_no_pattern_leaves_a_gap_without_bounds_in_what_a_receiver_writes() -> None:
    assert [rule.pattern for rule in ANSWERS if ".*" in rule.pattern or ".+" in rule.pattern] == []


def test_nothing_that_was_to_be_filled_in_is_left_open() -> None:
    for error, detail, *_ in FAILED:
        cause = cause_of(Tried(error=error, detail=detail, url=URL))
        assert not re.search(r"[{}]|\bNone\b", str(cause)), cause
    for status, answered, body, *_ in ANSWERED:
        cause = cause_of(Tried(status_code=status, detail=answered, body=body.encode(), url=URL))
        assert not re.search(r"[{}]|\bNone\b", str(cause)), cause


def test_a_success_in_good_time_has_no_cause() -> None:
    assert cause_of(Tried(status_code=204, duration_us=3 * SECOND)) is None


def test_a_success_that_was_nearly_too_late_is_told() -> None:
    cause = cause_of(Tried(status_code=200, duration_us=round(14.8 * SECOND)))
    assert cause is not None
    assert (cause.code, cause.happened) == ("slow", "It was accepted, but took 14.8 s of 15 s.")


@pytest.mark.parametrize(
    ("detail", "code", "words"),
    [
        ("the answer did not end within 15 s", "accepted_without_end", "did not end within 15 s"),
        ("the connection was closed before the end of the answer", "accepted_and_cut_off", "broke off"),
        ("the rest of the answer is not valid HTTP: Invalid chunk", "accepted_and_cut_off", "broke off"),
        ("the answer broke off: it took too long", "accepted_and_cut_off", "broke off"),
    ],
)
def test_a_success_whose_answer_broke_off_is_told(detail: str, code: str, words: str) -> None:
    cause = cause_of(Tried(status_code=200, detail=detail, duration_us=15 * SECOND, url=URL))
    assert cause is not None
    assert cause.code == code
    assert words in cause.happened


def test_a_failure_whose_answer_broke_off_is_told_by_its_status() -> None:
    detail = "the connection was closed before the end of the answer; redirects to https://new.example.com/in"
    cause = cause_of(Tried(status_code=308, detail=detail, url=URL))
    assert cause is not None
    assert cause.code == "redirect"
    assert "to https://new.example.com/in." in cause.happened


def test_what_a_receiver_sent_is_never_taken_for_a_form_to_fill_in() -> None:
    cause = cause_of(Tried(status_code=301, detail="redirects to https://x/{took}{0}", url=URL))
    assert cause is not None
    assert "https://x/{took}{0}" in cause.happened
