"""Whatever a receiver chooses of an outcome's words, both databases keep the attempt, and within bounds."""

import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hookwright.ambient import MovableClock
from hookwright.core.addresses import TargetPolicy
from hookwright.core.answer_headers import MOST_CHARACTERS
from hookwright.core.details import MOST_OF_A_DETAIL
from hookwright.core.model import Attempt, Outcome, Settled
from hookwright.engine.dialling import verifying_context
from hookwright.engine.limits import SendLimits
from hookwright.engine.sender import Sender
from hookwright.store.base import Store
from hookwright.testing.misbehaviour import read_request
from hookwright.testing.receiver import RawHandler, Receiver
from store.given import NOW, claim_one, first_delivery, settled

AUTHORITY = trustme.CA()
ODD = bytes(range(1, 10)) + bytes(range(14, 32)) + bytes(range(127, 256))  # without line breaks


def answering(answer: bytes) -> RawHandler:
    """Reads a request, gives this answer and closes."""

    async def answer_once(reader: StreamReader, writer: StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)

    return answer_once


# What is given, and what of it an attempt has to show.
ANSWERS: list[tuple[str, bytes]] = [
    ("redirects to /\\x80\\x9b2J", b"HTTP/1.1 302 Go\r\nlocation: /\x80\x9b2J\r\ncontent-length: 0\r\n\r\n"),
    ("redirects to /xxx", b"HTTP/1.1 302 Go\r\nlocation: /" + b"x" * 20_000 + b"\r\ncontent-length: 0\r\n\r\n"),
    (
        "",
        b"HTTP/1.1 500 " + b"\x80\xff" * 50 + b"\r\nx: " + b"\x80\xff\x9b" * 5_000 + b"\r\ncontent-length: 0\r\n\r\n",
    ),
    ("", b"HTTP/1.1 400 No\r\nconnection: close\r\n\r\n" + bytes(range(256)) * 100),
    ("", b"HTTP/1.1 429 Slow\r\nretry-after: 9" + b"9" * 5_000 + b"\r\ncontent-length: 0\r\n\r\n"),
    ("", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\0\xff" + ODD),
    ("is not", ODD),
    ("is not", b"HTTP/1.1 200 OK\r\n" + ODD + b"\r\n\r\n"),
]


@pytest.fixture
async def sender(clock: MovableClock) -> AsyncIterator[Sender]:
    """It trusts the authority, and knows every name as this machine."""
    trusting = verifying_context()
    AUTHORITY.configure_trust(trusting)
    policy = TargetPolicy(allow_private=True)
    sender = Sender(clock, policy, ssl_context=trusting, resolve=lambda name: ["127.0.0.1"])
    yield sender
    await sender.close()


@pytest.mark.parametrize(("shown", "answer"), ANSWERS)
async def test_an_attempt_is_kept_whatever_the_answer_holds(
    store: Store, sender: Sender, shown: str, answer: bytes
) -> None:
    async with Receiver() as receiver:
        receiver.behave(answering(answer))
        attempt = await kept(store, await sender.send(receiver.url, {}, b"{}"))
    assert shown in (attempt.detail or "")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\0b.example", "it is for a?b.example"),
        ("\x1b[2J.example", "it is for ?[2J.example"),
        ("x" * 60_000, "it is for " + "x" * 253 + ")"),
    ],
)
async def test_an_attempt_is_kept_whatever_name_the_certificate_holds(
    store: Store, sender: Sender, tmp_path: Path, name: str, shown: str
) -> None:
    async with showing(tmp_path, certificate_for(name)) as url:
        attempt = await kept(store, await sender.send(url, {}, b"{}"))
    assert attempt.error == "tls_failed"
    assert shown in (attempt.detail or "")


async def test_a_name_in_a_certificate_that_is_no_text_is_the_receivers_fault(
    store: Store, sender: Sender, tmp_path: Path
) -> None:
    def no_text(certificate: bytes) -> bytes:
        return certificate.replace(b"odd.example", b"\xff\xfe\x80.example")

    async with showing(tmp_path, certificate_for("odd.example"), no_text) as url:
        attempt = await kept(store, await sender.send(url, {}, b"{}"))
    assert attempt.error == "tls_failed"
    assert "Hostname mismatch" in (attempt.detail or "")


async def test_an_attempt_is_kept_whatever_a_listener_says_of_it(store: Store) -> None:
    said = "\0\udc80\x1b[2J" * 50_000
    attempt = await kept(store, Outcome(started_at=NOW, duration_us=1, error="connect_failed", detail=said))
    assert (attempt.detail or "").startswith(r"\x00\udc80\x1b[2J")


async def kept(store: Store, outcome: Outcome) -> Attempt:
    """The attempt as the database has it, and within bounds."""
    delivery = await first_delivery(store)
    claimed = await claim_one(store)
    assert claimed.delivery_id == delivery.id
    settlement = settled(claimed, "pending", due_at=NOW).settlement
    assert await store.settle([Settled(claim=claimed, outcome=outcome, settlement=settlement)], NOW) == {delivery.id}
    (attempt,) = await store.attempts(delivery.id)
    assert attempt.detail is None or (attempt.detail.isprintable() and len(attempt.detail) <= MOST_OF_A_DETAIL)
    assert attempt.response_body is not None
    assert len(attempt.response_body) <= SendLimits().body_kept_bytes
    for header in attempt.response_headers.kept if attempt.response_headers else ():
        assert len(header.name) + len(header.value or "") <= MOST_CHARACTERS
        assert f"{header.name}{header.value}".isprintable()
    return attempt


# -- a receiver with a certificate of its own making ---------------------------------------------------------------


def certificate_for(name: str) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """One for this name that only seems to come from the authority: anybody can make it."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.load_pem_x509_certificate(AUTHORITY.cert_pem.bytes()).subject
    now = datetime.now(UTC)
    nobody = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody")])
    builder = x509.CertificateBuilder(authority, nobody, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    return builder.add_extension(names, critical=False).sign(key, hashes.SHA256()), key


@asynccontextmanager
async def showing(
    folder: Path,
    made: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
    change: Callable[[bytes], bytes] = lambda certificate: certificate,
) -> AsyncIterator[str]:
    """The URL of a receiver that shows this certificate, changed after it was signed if need be."""
    certificate, key = made
    der = change(certificate.public_bytes(serialization.Encoding.DER))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "certificate.pem"
    file.write_bytes(ssl.DER_cert_to_PEM_cert(der).encode() + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with Receiver(ssl_context=context, host_name="receiver.example") as receiver:
        yield receiver.url
