"""core/special_ranges.py, written from IANA's registries: `make addresses`.

`python -m hookwright.address_registries FOLDER FILE` takes the folder with IANA's CSV files, under IANA's names, and
the file to write. Nothing is left out of the two special-purpose registries: also what they call globally reachable
(AS112, AMT, anycast) is no receiver's address.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, collapse_addresses, ip_network
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

SPECIAL_V4_FILE = "iana-ipv4-special-registry-1.csv"
SPECIAL_V6_FILE = "iana-ipv6-special-registry-1.csv"
SPACE_V4_FILE = "ipv4-address-space.csv"
SPACE_V6_FILE = "ipv6-address-space-1.csv"

Row = Mapping[str, str]

_FOOTNOTE = re.compile(r"\s*\[\d+\]")
_RFC = re.compile(r"RFC\s?(\d+)")

_MODULE = '''"""Addresses that are no public server's, as IANA's registries name them.

Written by `make addresses` from tests/data/addresses/registries, which says where they are from; do not change it
here. Each entry: the range, its name, the documents that define it.
"""
# fmt: off

NEWEST_ENTRY = "{newest}"

# https://www.iana.org/assignments/iana-ipv4-special-registry, and what https://www.iana.org/assignments/ipv4-address-space
# reserves above 223.255.255.255.
SPECIAL_V4 = (
{special_v4})

# https://www.iana.org/assignments/iana-ipv6-special-registry
SPECIAL_V6 = (
{special_v6})

# https://www.iana.org/assignments/ipv6-address-space: what is not in here is nobody's, or not the Internet's.
GLOBAL_UNICAST_V6 = (
{unicast_v6})
'''


class Entry(NamedTuple):
    """A range of addresses in a registry."""

    network: str
    name: str
    source: str


def special_ranges_module(folder: Path) -> str:
    """The text of core/special_ranges.py. Raises ValueError or KeyError where a file is not as IANA writes it."""
    special_v4, special_v6 = _rows(folder / SPECIAL_V4_FILE), _rows(folder / SPECIAL_V6_FILE)
    return _MODULE.format(
        newest=max(row["Allocation Date"] for row in (*special_v4, *special_v6)),
        special_v4=_lines([*_special(special_v4), *_reserved(_rows(folder / SPACE_V4_FILE))]),
        special_v6=_lines(_special(special_v6)),
        unicast_v6=_lines(_global_unicast(_rows(folder / SPACE_V6_FILE))),
    )


def _rows(file: Path) -> list[Row]:
    with file.open(newline="", encoding="utf-8-sig") as lines:
        return list(csv.DictReader(lines))


def _special(rows: Iterable[Row]) -> Iterator[Entry]:
    for row in rows:
        for block in _FOOTNOTE.sub("", row["Address Block"]).split(","):
            yield Entry(str(ip_network(block.strip())), row["Name"].strip('"'), _documents(row["RFC"]))


def _reserved(rows: Iterable[Row]) -> Iterator[Entry]:
    """What is set aside as a whole: multicast, and what was kept for the future."""
    # Lower rows that are reserved are in the special-purpose registry too.
    high = [row for row in rows if row["Status [1]"] == "RESERVED" and _first_octet(row) >= 224]
    for name, group in groupby(high, key=lambda row: row["Designation"]):
        networks = [IPv4Network((IPv4Address(_first_octet(row) << 24), 8)) for row in group]
        yield from (Entry(str(network), name, "") for network in collapse_addresses(networks))


def _first_octet(row: Row) -> int:
    return int(row["Prefix"].removesuffix("/8"))


def _global_unicast(rows: Iterable[Row]) -> Iterator[Entry]:
    for row in rows:
        if row["Allocation"] == "Global Unicast":
            yield Entry(str(ip_network(row["IPv6 Prefix"])), row["Allocation"], _documents(row["Reference"]))


def _documents(references: str) -> str:
    return ", ".join(f"RFC {number}" for number in _RFC.findall(references))


def _lines(entries: Iterable[Entry]) -> str:
    return "".join(f"    ({', '.join(map(json.dumps, entry))}),\n" for entry in entries)


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(special_ranges_module(Path(sys.argv[1])))
