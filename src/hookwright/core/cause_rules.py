"""The causes of failed attempts: which error or status, read together with what, is told in which words.

The first rule that fits is the cause, so the particular ones come before the general ones. Their patterns read what
`engine/failures.py` and its callers write, and what OpenSSL says; those of answers read the body, and where a
redirect leads. Words in braces are filled in: see `core/causes.py`.
"""

from __future__ import annotations

from typing import NamedTuple


class Rule(NamedTuple):
    """A cause, and what it fits: an error or a status, and a pattern in what is known beside it."""

    code: str
    fits: str | int
    pattern: str
    happened: str
    to_do: str


ANSWER_2XX = "Answer 200 or 204 as soon as the event is stored."
ASK = "Replay it; if it fails again, ask whoever runs the receiver what happened at that time."
LOOK_IN_LOG = "Look in the receiver's log at that time. It is tried again by itself; a replay comes sooner."
ANSWER_FIRST = "Store the event, answer 200 at once, and do the work afterwards."
RENEW = "Renew the certificate and reload the server. What failed is tried again, or can be replayed."
CHECK_URL = "Compare the endpoint's URL with the path that the receiver serves."
OPEN_FIREWALL = "Let our requests through in the firewall, or put the receiver where it can be reached."
VERIFY = (
    "Verify the bytes as they arrived, before any parsing, with the endpoint's present signing secret, and check the"
    " receiver's clock. The signature is explained below."
)
GET_PUBLIC_CERTIFICATE = "Use one of a public authority; Let's Encrypt issues them free of charge."
TEST_TLS = "Check the server with a TLS test such as `openssl s_client -connect {host}:443`."
ALLOW_HTTP_1 = "Allow HTTP/1.1 on the server."
FIX_PROXY = "See that the server behind {host} runs and that its proxy knows where."

SLOW = Rule(
    "slow",
    200,
    "",
    "It was accepted, but took {took} of {limit}.",
    f"It will fail when it is a little slower. {ANSWER_FIRST}",
)

# Accepted all the same, by the status; but the receiver should know.
ACCEPTED = (
    Rule(
        "accepted_without_end", 200, "did not end within",
        "It was accepted, but the answer did not end within {limit}.",
        "End the answer: send Content-Length, and close what streams. An answer without a body (204) is enough.",
    ),
    Rule(
        "accepted_and_cut_off", 200, "before the end of the answer|rest of the answer|answer broke off",
        "It was accepted, but the answer broke off after its head.",
        "Look in the receiver's log: it crashes as it answers, or announces another length than it sends.",
    ),
)  # fmt: skip

ERRORS = (
    Rule(
        "address_not_allowed", "address_not_allowed", "",
        "The URL, or an address that {host} resolves to, is private or reserved; nothing was sent.",
        "Use a host with public addresses only. In development, allow private targets.",
    ),
    Rule(
        "name_not_resolved_in_time", "dns_failed", "in time",
        "The name {host} was not resolved in time.",
        "Check the name servers of the domain: one of them does not answer.",
    ),
    Rule(
        "name_without_address", "dns_failed", "",
        "The name {host} does not resolve to any address.",
        "Check its spelling, that the domain is not expired, and that it has an A or AAAA record.",
    ),
    Rule(
        "refused", "connect_refused", "",
        "{host} refused the connection: nothing listens at that port.",
        "Start the receiver, or correct the port in the endpoint's URL.",
    ),
    Rule(
        "connect_timeout", "connect_timeout", "",
        "{host} did not take the connection in time.",
        f"A firewall that drops packets looks like this, and so does a machine that is down. {OPEN_FIREWALL}",
    ),
    Rule(
        "no_route", "connect_failed", "route|unreachable",
        "There is no way through the network to {host}.",
        "Check the address that the name resolves to; an AAAA record without working IPv6 is often the reason.",
    ),
    Rule(
        "unreachable", "connect_failed", "",
        "{host} cannot be reached.",
        f"Check that the machine is up and its address right. {OPEN_FIREWALL}",
    ),
    Rule(
        "certificate_expired", "tls_failed", r"certificate has expired(?: \((?P<date>[^)]*)\))",
        "The certificate of {host} has expired: {date}.", RENEW,
    ),
    Rule("certificate_expired", "tls_failed", "certificate has expired",
         "The certificate of {host} has expired.", RENEW),
    Rule(
        "certificate_not_yet_valid", "tls_failed", r"not yet valid(?: \((?P<date>[^)]*)\))?",
        "The certificate of {host} is not valid yet. {date}",
        "Install one that is valid now, or correct the clock of the machine that issued it.",
    ),
    Rule(
        "certificate_for_other_name", "tls_failed", r"(?:hostname|IP address) mismatch[^(]*(?:\((?P<names>[^)]*)\))?",
        "The certificate is not for {host}. {names}",
        "Get one whose names include {host}, or use a name in the URL that it has.",
    ),
    Rule(
        "certificate_self_signed", "tls_failed", r"self[- ]signed certificate(?! in)",
        "The certificate of {host} is self-signed, so nobody vouches for it.",
        GET_PUBLIC_CERTIFICATE,
    ),
    Rule(
        "certificate_of_private_authority", "tls_failed", "self[- ]signed certificate in",
        "The certificate of {host} comes from an authority that is not publicly trusted.",
        GET_PUBLIC_CERTIFICATE,
    ),
    Rule(
        "certificate_chain_incomplete", "tls_failed", "unable to (?:get|verify)",
        "{host} does not send the whole chain of its certificate. Browsers fetch what is missing; programs do not.",
        "Configure the server with the full chain (`fullchain.pem`), not the certificate alone.",
    ),
    Rule(
        "certificate_revoked", "tls_failed", "revoked",
        "The certificate of {host} was revoked by its authority.",
        "Have a new one issued, and find out why the old one was revoked.",
    ),
    Rule(
        "certificate_weak", "tls_failed", "too weak|too small|md too|ca md",
        "The certificate or a key of {host} is too weak.",
        "Use RSA of 2,048 bits or more, or ECDSA, signed with SHA-256.",
    ),
    Rule(
        "certificate_refused", "tls_failed", "certificate is not accepted: (?P<why>.*)",
        "The certificate of {host} is not accepted: {why}.",
        TEST_TLS,
    ),
    Rule(
        "client_certificate_wanted", "tls_failed", "certificate required|bad certificate",
        "{host} wants a certificate from us, and we have none.",
        "Switch off client certificates (mTLS) for the path of the webhooks; the signature shows who we are.",
    ),
    Rule(
        "no_tls_there", "tls_failed", "wrong version number|http request|record layer",
        "{host} does not speak TLS at that port.",
        "Serve https there, or correct the port in the endpoint's URL.",
    ),
    Rule(
        "tls_too_old", "tls_failed", "protocol version|unsupported protocol|version too low",
        "{host} only speaks a version of TLS that is not safe any more.",
        "Enable TLS 1.2 or 1.3 on the server.",
    ),
    Rule(
        "tls_name_unknown", "tls_failed", "unrecognized name",
        "The server at that address does not know the name {host}.",
        "Add {host} to the server's configuration, or correct the DNS record.",
    ),
    Rule(
        "tls_no_common_cipher", "tls_failed", "handshake failure|no shared cipher|cipher",
        "{host} and we have no cipher in common.",
        "Enable a modern set of ciphers on the server, such as Mozilla's intermediate one.",
    ),
    Rule(
        "tls_closed", "tls_failed", "closed during|eof|reset",
        "{host} closed the connection during the TLS handshake.",
        "Look in the log of the server or of the firewall before it: something there refuses us.",
    ),
    Rule(
        "tls_failed", "tls_failed", "",
        "No TLS connection to {host} came about.",
        TEST_TLS,
    ),
    # Of attempts of earlier versions, which took only an answer in full for one.
    Rule(
        "answer_without_end", "timeout", r"status (?P<answered>\d+), but",
        "{host} answered {answered}, but its answer did not end within {limit}.",
        "End the answer: send Content-Length, and close what streams.",
    ),
    Rule(
        "timeout", "timeout", "",
        "{host} did not answer within {limit}; it took the request and was silent for {took}.",
        ANSWER_FIRST,
    ),
    Rule(
        "cut_off", "reset", "before the end",
        "{host} closed the connection in the middle of its answer.",
        "A crash of the worker, or a proxy with a shorter time limit, does this. Look in its log.",
    ),
    Rule(
        "hung_up", "reset", "",
        "{host} closed the connection without an answer.",
        "The receiver may have crashed or been restarted; it may have processed the event. Look in its log.",
    ),
    Rule(
        "not_http", "bad_answer", "is not HTTP$",
        "What listens at {host} does not speak HTTP.",
        "Correct the port in the endpoint's URL.",
    ),
    Rule(
        "http_version", "bad_answer", "not HTTP/1.1",
        "{host} answered in another version of HTTP than 1.1.",
        ALLOW_HTTP_1,
    ),
    Rule(
        "head_too_large", "bad_answer", "head of the answer is too large",
        "The headers of the answer are larger than we read.",
        "Send fewer or shorter headers; cookies are of no use here.",
    ),
    Rule(
        "too_many_headers", "bad_answer", "too many headers",
        "The answer has more headers than we read.",
        "Send fewer headers; cookies are of no use here.",
    ),
    Rule(
        "endless_1xx", "bad_answer", "1xx",
        "{host} sent interim answers (1xx) without an end.",
        "Send the final answer after a few of them at the latest.",
    ),
    Rule(
        "switching_protocols", "bad_answer", r"status (?P<answered>\d+) is no answer",
        "{host} answered {answered}, which is no answer to a POST.",
        "Point the endpoint at a path that serves plain HTTP, not WebSockets.",
    ),
    Rule(
        "no_listener", "no_listener", "",
        "Nobody fetches for this endpoint, whose requests are fetched and not sent.",
        "Run `hookwright listen` again; or pause the endpoint, and its events wait.",
    ),
    Rule(
        "not_made", "not_made", "(?P<reason>.+)",
        "Hookwright could not make the request, so nothing was sent: {reason}.",
        "This is no fault of the receiver. Whoever runs Hookwright finds more in its log; a secret that does not open"
        " can be rotated. Replay what gave up meanwhile.",
    ),
    Rule(
        "invalid_http", "bad_answer", "",
        "The answer of {host} is not valid HTTP.",
        "Look at what the server writes by hand: often a header holds a line break, or two lengths differ.",
    ),
)  # fmt: skip

_REDIRECT = (
    r"redirects to (?P<location>\S+)",
    "The receiver redirects to {location}. Redirects are not followed: they would lead signed events elsewhere.",
    "Change the endpoint's URL to {location}, if that is yours.",
)
_REDIRECTS = (301, 302, 303, 307, 308)

# Bodies are the receiver's: where a pattern leaves a gap, it is bounded, or a body full of beginnings would be read
# again from each of them (measured: 40 ms for each attempt that a page shows).
ANSWERS = (
    *(Rule("redirect", status, *_REDIRECT) for status in _REDIRECTS),
    *(
        Rule("redirect", status, "", "The receiver redirects ({status}), and redirects are not followed.",
             "Change the endpoint's URL to the final one: often https, a slash at the end, or www is missing.")
        for status in _REDIRECTS
    ),
    Rule("not_modified", 304, "", "The receiver answered 304, as if this were a request for a page.",
         "Take caching away from the path of the webhooks."),
    *(
        Rule("bot_protection", status,
             "just a moment|cf-chl|captcha|bot detection|access denied.{0,300}akamai|incapsula",
             "A protection against bots before {host} stopped the request ({status}).",
             "Make an exception for the path of the webhooks there.")
        for status in (401, 403, 429, 503)
    ),
    *(
        Rule("forgery_protection", status, "csrf|xsrf|authenticity.?token|forgery|page expired",
             "The receiver's protection against forged forms refused the request ({status}).",
             "Take it away from this path: the signature is what proves where a webhook comes from.")
        for status in (400, 403, 419, 422)
    ),
    *(
        Rule("signature_refused", status, "signature|webhook-id|webhook-timestamp|hmac|timestamp too",
             "The receiver refused the signature ({status}).", VERIFY)
        for status in (400, 401, 403, 422)
    ),
    *(
        Rule("tunnel_closed", status, r"ERR_NGROK|tunnel .{0,300}not found|localtunnel|cloudflare tunnel|error 1033",
             "The tunnel at {host} leads nowhere: it is closed, or nothing listens at its other end.",
             "Start the tunnel and what is behind it; many get a new name each time.")
        for status in (404, 502, 503, 504, 530)
    ),
    Rule("bad_request", 400, "", "The receiver took the request for malformed (400).",
         "Read its answer below: the body may not be what it expects of this event type."),
    Rule("unauthorised", 401, "", "The receiver wants credentials (401).",
         "Let the path of the webhooks pass without a login, or give the endpoint a header with the credentials."),
    Rule("payment_required", 402, "", "The receiver's own plan has ended (402).",
         "Pay the bill of the service that receives, or point the endpoint elsewhere."),
    Rule("forbidden", 403, "", "The receiver refused us (403).",
         "A firewall or an allow-list does this: let our requests through, or give the endpoint a header it knows."),
    Rule("not_found", 404, "", "There is nothing at that path of {host} (404).", CHECK_URL),
    Rule("method_not_allowed", 405, "", "The path is there, but takes no POST (405).",
         "Route POST to the receiver's code; often the URL lacks its last part, or a slash."),
    Rule("not_acceptable", 406, "", "The receiver has no answer in a form that we take (406).", ANSWER_2XX),
    Rule("proxy_credentials", 407, "", "A proxy before the receiver wants credentials (407).",
         "Let requests from outside pass it without."),
    Rule("request_timeout", 408, "", "The receiver waited for the request too long (408).",
         "It was busy, or its limit is very short. It is tried again by itself."),
    Rule("conflict", 409, "", "The receiver says that the event contradicts what it has (409).",
         "If it means that it knows the event already, answer 200: it is the same message."),
    Rule("gone", 410, "", "The receiver says that this address is gone for good (410). That disables most endpoints.",
         "If that was a mistake, activate the endpoint and recover what it missed."),
    Rule("length_required", 411, "", "The receiver says that the length is missing (411), though it is sent.",
         "A proxy before it takes Content-Length away."),
    Rule("precondition", 412, "", "The receiver says that a condition does not hold (412).", LOOK_IN_LOG),
    Rule("too_large", 413, "", "The event is larger than the receiver takes (413).",
         "Raise its limit, such as `client_max_body_size` of nginx, to 1 MB."),
    Rule("uri_too_long", 414, "", "The URL is longer than the receiver takes (414).", "Shorten the endpoint's URL."),
    Rule("media_type", 415, "", "The receiver does not take JSON at that path (415).",
         "Accept `application/json` there."),
    Rule("page_expired", 419, "", "The receiver's framework took the request for an expired form (419).",
         "Take its protection against forged forms away from this path."),
    Rule("misdirected", 421, "", "The server at {host} does not answer for that name (421).",
         "Check the name in the URL against the server's configuration."),
    Rule("unprocessable", 422, "", "The receiver understood the event but does not accept it (422).",
         "Read its answer below: a field may be missing or new to it. Accept what is not known."),
    Rule("locked", 423, "", "The receiver says that what the event is about is locked (423).", LOOK_IN_LOG),
    Rule("failed_dependency", 424, "", "Something that the receiver depends on failed (424).", LOOK_IN_LOG),
    Rule("too_early", 425, "", "The receiver was not ready (425).", LOOK_IN_LOG),
    Rule("upgrade_required", 426, "", "The receiver wants another protocol (426).",
         "Allow HTTP/1.1 over TLS on the server."),
    Rule("precondition_required", 428, "", "The receiver wants a conditional request (428).",
         "Take that demand away from the path of the webhooks."),
    Rule("rate_limited", 429, "", "The receiver had too many requests (429).",
         "Give the endpoint a rate limit below the receiver's. Retry-After is kept."),
    Rule("headers_too_large", 431, "", "The receiver's limit for headers is too small (431).",
         "Raise it to 8 KB, and look at the endpoint's custom headers."),
    Rule("legal", 451, "", "The receiver refuses for legal reasons (451).", "Ask whoever runs it."),
    Rule("proxy_gave_up", 499, "", "A proxy before the receiver gave up (499).", ANSWER_FIRST),
    Rule("server_error", 500, "", "The receiver's code failed (500).", LOOK_IN_LOG),
    Rule("not_implemented", 501, "", "The receiver does not implement POST (501).", CHECK_URL),
    Rule("bad_gateway", 502, "", "The proxy before the receiver got no answer from it (502).", FIX_PROXY),
    Rule("unavailable", 503, "", "The receiver is overloaded or being maintained (503).",
         "It is tried again by itself, and Retry-After is kept."),
    Rule("gateway_timeout", 504, "", "The receiver was slower than the proxy before it allows (504).", ANSWER_FIRST),
    Rule("version_not_supported", 505, "", "The receiver does not speak HTTP/1.1 (505).",
         ALLOW_HTTP_1),
    Rule("storage_full", 507, "", "The receiver's storage is full (507).", "Make room there, then replay."),
    Rule("loop", 508, "", "The receiver runs in a circle (508).",
         "Look for rules of its proxies that lead to itself."),
    Rule("bandwidth", 509, "", "The receiver's hoster has cut it off: its allowance is used up (509).",
         "Ask the hoster."),
    Rule("network_login", 511, "", "The network before the receiver wants a login (511).",
         "Put the receiver where it can be reached without."),
    Rule("cloudflare_unknown", 520, "", "Cloudflare does not understand what the receiver answered (520).",
         "Look in the receiver's log: it crashes, or sends headers that are too large."),
    Rule("cloudflare_down", 521, "", "The receiver behind Cloudflare refused the connection (521).",
         "Start the receiver, and let Cloudflare's addresses through its firewall."),
    Rule("cloudflare_connect", 522, "", "Cloudflare could not connect to the receiver in time (522).",
         "Let Cloudflare's addresses through its firewall."),
    Rule("cloudflare_unreachable", 523, "", "Cloudflare cannot reach the receiver (523).",
         "Correct the receiver's address in Cloudflare's DNS."),
    Rule("cloudflare_timeout", 524, "", "The receiver behind Cloudflare did not answer in time (524).", ANSWER_FIRST),
    Rule("cloudflare_handshake", 525, "", "Cloudflare and the receiver found no common TLS (525).",
         "Install a certificate on the receiver, or change the encryption mode in Cloudflare."),
    Rule("cloudflare_certificate", 526, "", "Cloudflare does not accept the receiver's certificate (526).", RENEW),
    Rule("cloudflare_origin", 530, "", "Cloudflare does not find the receiver (530).",
         "Read its answer below; the error 1xxx in it says why."),
)  # fmt: skip

FAMILIES = (
    (200, "interim", "The receiver only sent an interim answer ({status}).", ANSWER_2XX),
    (400, "odd_redirect", "The receiver answered {status}, which is no success.", ANSWER_2XX),
    (
        500,
        "refused_by_receiver",
        "The receiver refused the request ({status}).",
        f"Read its answer below. {ANSWER_2XX}",
    ),
    (600, "failed_at_receiver", "The receiver failed ({status}).", LOOK_IN_LOG),
)
