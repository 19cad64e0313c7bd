"""Receivers whose TLS is bad: certificates that must not be accepted, and handshakes that go nowhere."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter

from faults.hostile.certificates import authority
from faults.hostile.hostility import Certificate, Handler, Hostility, Tls, answering, cut, linger
from hookwright.testing import misbehaviour

OK = b"HTTP/1.1 200 OK\r\n"

# RFC 8446 §5.1: type (21 alert, 22 handshake), version, length.
_HANDSHAKE_OF_16_KIB = b"\x16\x03\x03\x40\x00"
_FATAL_ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
_WARNING_ALERT = b"\x15\x03\x03\x00\x02\x01\x5a"
_HUGE_SERVER_HELLO = _HANDSHAKE_OF_16_KIB + b"\x02\xff\xff\xff" + b"\x03" * 16_380


def saying(first: bytes, again: bytes = b"", pace: float = 0.0) -> Handler:
    """Waits for the first words of the handshake, answers with these bytes, and goes on with others for ever."""

    async def say(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.read(1)
        writer.write(first)
        while again and not writer.is_closing():
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pace)  # 0 lets others run: `drain` does not while there is room
        await reader.read()

    return say


async def reset_in_handshake(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.read(1)
    cut(writer)


async def close_in_handshake(reader: StreamReader, writer: StreamWriter) -> None:
    await reader.read(1)


async def demand_client_certificate(reader: StreamReader, writer: StreamWriter) -> None:
    """End TLS 1.3 with the alert that tells why, as servers do; asyncio's would hang up without a word.

    The sender has finished its handshake by then and has sent its request.
    """
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority().context("good", "wants_client_1_3").wrap_bio(incoming, outgoing, server_side=True)
    while data := await reader.read(65_536):
        incoming.write(data)
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            writer.write(outgoing.read())
        except ssl.SSLError:
            break
    writer.write(outgoing.read())
    await reader.read()


async def speak_http_2(reader: StreamReader, writer: StreamWriter) -> None:
    """Send a SETTINGS frame, as a server does that takes every client for one of HTTP/2."""
    writer.write(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00")
    await linger(writer)


def _certificate(kind: Certificate) -> Hostility:
    return Hostility(
        name=f"tls_{kind}",
        scheme="https",
        certificate=kind,
        handler=misbehaviour.hang,
        comes_to=frozenset({"tls_failed"}),
    )


def _version(tls: Tls) -> Hostility:
    return Hostility(
        name=f"tls_{tls}",
        scheme="https",
        certificate="good",
        tls=tls,
        handler=misbehaviour.hang,
        comes_to=frozenset({"tls_failed"}),
    )


def _raw(name: str, handler: Handler, *comes_to: str) -> Hostility:
    return Hostility(name=f"tls_{name}", scheme="https", handler=handler, comes_to=frozenset(comes_to))


def _inside(name: str, handler: Handler, *comes_to: str, tls: Tls = "modern") -> Hostility:
    return Hostility(
        name=f"tls_{name}", scheme="https", certificate="good", tls=tls, handler=handler, comes_to=frozenset(comes_to)
    )


HANDSHAKES: tuple[Hostility, ...] = (
    _certificate("expired"),
    _certificate("not_yet_valid"),
    _certificate("other_name"),
    _certificate("name_only_in_subject"),
    _certificate("self_signed"),
    _certificate("unknown_authority"),
    _certificate("for_clients"),
    _certificate("short_key"),
    _certificate("long_chain"),
    _version("tls_1_0"),
    _version("tls_1_1"),
    _version("wants_client_1_2"),
    _raw("wants_client_1_3", demand_client_certificate, "tls_failed"),
    _raw("plain_http_on_its_port", saying(OK + b"content-length: 0\r\n\r\n"), "tls_failed"),
    _raw("reset_in_handshake", reset_in_handshake, "tls_failed"),
    _raw("close_in_handshake", close_in_handshake, "tls_failed"),
    _raw("hang_in_handshake", misbehaviour.hang, "connect_timeout"),
    _raw("drip_in_handshake", saying(_HANDSHAKE_OF_16_KIB + b"\x02\x00\x3f\xfc", b"\x03", 0.02), "connect_timeout"),
    _raw("garbage_server_hello", saying(b"\x16\x03\x03\x00\x30" + bytes(range(48))), "tls_failed"),
    _raw("huge_server_hello", saying(_HUGE_SERVER_HELLO, _HANDSHAKE_OF_16_KIB + bytes(16_384)), "tls_failed"),
    _raw("huge_record", saying(b"\x16\x03\x03\xff\xff", bytes(65_535)), "tls_failed"),
    _raw("fatal_alert", saying(_FATAL_ALERT), "tls_failed"),
    _raw("endless_warnings", saying(_WARNING_ALERT, _WARNING_ALERT * 100), "tls_failed"),
    _raw("ssh", saying(b"SSH-2.0-OpenSSH_9.2\r\n"), "tls_failed"),
    # Inside good TLS the same rules hold as outside.
    _inside("speaks_http_2", speak_http_2, "bad_answer", tls="only_http_2"),
    _inside("hang_after_request", misbehaviour.hang, "timeout"),
    _inside("drip_body", misbehaviour.drip_body, "200"),
    _inside("endless_body", misbehaviour.endless_body, "200"),
    _inside("cut_short", answering(OK + b"content-length: 10\r\n\r\nhalf"), "200"),
    _inside("until_the_end", answering(OK + b"\r\nuntil the end"), "200"),
)
