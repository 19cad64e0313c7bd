"""A name server of our own, which answers what the corpus says: aliases, mixtures, and other answers each time."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

A, CNAME, AAAA = 1, 5, 28
NO_SUCH_NAME = 3
ANSWERED = 0x8180  # a response, recursion asked for and done
POINTER_TO_QUESTION = 0xC00C
INTERNET = 1


class Zone(NamedTuple):
    """What there is to say of a name: each of `answers` in turn, for each type of record by itself."""

    answers: tuple[tuple[str, ...], ...]
    alias: str | None


class NameServer(asyncio.DatagramProtocol):
    """Answers A and AAAA over UDP; no record ever lives longer than its answer."""

    def __init__(self, zones: Mapping[str, Zone]) -> None:
        self._zones = zones
        self.questions: Counter[tuple[str, int]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.DatagramTransport = transport  # type: ignore[assignment] # a selector's is no subclass

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        (number,) = struct.unpack_from("!H", data)
        name, end = _name_at(data, 12)
        (kind,) = struct.unpack_from("!H", data, end)
        question = data[12 : end + 4]
        zone = self._zones.get(name)
        if zone is None:
            self._transport.sendto(_head(number, 0, NO_SUCH_NAME) + question, address)
            return
        turn = self.questions[name, kind]
        self.questions[name, kind] += 1
        records = _records(zone, kind, turn)
        self._transport.sendto(_head(number, len(records)) + question + b"".join(records), address)


def _records(zone: Zone, kind: int, turn: int) -> list[bytes]:
    found = zone.answers[turn % len(zone.answers)] if zone.answers else ()
    addresses = [each for each in map(ip_address, found) if _kind_of(each) == kind]
    if zone.alias is None:
        pointer = struct.pack("!H", POINTER_TO_QUESTION)
        return [_record(pointer, kind, each.packed) for each in addresses]
    alias = _written(zone.alias)
    return [
        _record(struct.pack("!H", POINTER_TO_QUESTION), CNAME, alias),
        *(_record(alias, kind, each.packed) for each in addresses),
    ]


def _kind_of(address: IPv4Address | IPv6Address) -> int:
    return A if isinstance(address, IPv4Address) else AAAA


def _head(number: int, answer_count: int, code: int = 0) -> bytes:
    return struct.pack("!6H", number, ANSWERED | code, 1, answer_count, 0, 0)


def _record(owner: bytes, kind: int, data: bytes) -> bytes:
    lifetime = 0
    return owner + struct.pack("!HHIH", kind, INTERNET, lifetime, len(data)) + data


def _written(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _name_at(data: bytes, place: int) -> tuple[str, int]:
    labels = []
    while length := data[place]:
        labels.append(data[place + 1 : place + 1 + length].decode("ascii"))
        place += length + 1
    return ".".join(labels).lower(), place + 1
