"""The table of special-purpose addresses is what IANA's registries say."""

import csv
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from hookwright.address_registries import SPACE_V4_FILE, SPACE_V6_FILE, SPECIAL_V4_FILE, special_ranges_module
from hookwright.core import special_ranges
from hookwright.core.addresses import TargetPolicy, address_allowed

REGISTRIES = Path(__file__).parent / "data" / "addresses" / "registries"
ENTRIES = (*special_ranges.SPECIAL_V4, *special_ranges.SPECIAL_V6)


def test_the_table_is_what_make_addresses_writes() -> None:
    written = Path(special_ranges.__file__).read_text()
    assert written == special_ranges_module(REGISTRIES), "run `make addresses`"


# Mapped addresses are judged as IPv4.
@pytest.mark.parametrize("network", [network for network, *_ in ENTRIES if network != "::ffff:0:0/96"])
def test_the_first_and_the_last_address_of_every_entry_are_refused(network: str) -> None:
    special = ip_network(network)
    for address in (special[0], special[-1]):
        assert not address_allowed(str(address), TargetPolicy())


@pytest.mark.parametrize("network", ["240.0.0.0/4", "224.0.0.0/4"])
def test_what_is_reserved_as_a_whole_is_one_range(network: str) -> None:
    assert network in [each for each, *_ in special_ranges.SPECIAL_V4]


def test_outside_global_unicast_nothing_is_public() -> None:
    with (REGISTRIES / SPACE_V6_FILE).open(newline="") as lines:
        for row in csv.DictReader(lines):
            middle = ip_network(row["IPv6 Prefix"])[2**64 + 12345]
            assert address_allowed(str(middle), TargetPolicy()) == (row["Allocation"] == "Global Unicast")


def test_a_new_entry_in_a_registry_reaches_the_table(tmp_path: Path) -> None:
    for file in REGISTRIES.glob("*.csv"):
        (tmp_path / file.name).write_text(file.read_text())
    with (tmp_path / SPECIAL_V4_FILE).open("a") as registry:
        registry.write(
            '"9.9.9.0/24 [7], 9.9.8.0/24",A "new" entry,"[RFC9999]\n[RFC9998], Section 1",2031-01,N/A,,,,,\n'
        )
    module = special_ranges_module(tmp_path)
    for network in ("9.9.9.0/24", "9.9.8.0/24"):
        assert f'    ("{network}", "A \\"new\\" entry", "RFC 9999, RFC 9998"),\n' in module
    assert 'NEWEST_ENTRY = "2031-01"' in module


def test_a_file_that_is_not_as_iana_writes_it_is_not_taken(tmp_path: Path) -> None:
    for file in REGISTRIES.glob("*.csv"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / SPACE_V4_FILE).write_text("Prefix,Designation\n224/8,Multicast\n")
    with pytest.raises(KeyError):
        special_ranges_module(tmp_path)


def test_the_addresses_that_ipaddress_calls_global_are_refused_all_the_same() -> None:
    # Python 3.11 says True for each of these; later versions differ among themselves.
    for address in (
        *(
            "224.0.0.1",
            "192.88.99.1",
            "192.0.0.9",
            "192.0.0.192",
            "168.63.129.16",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
        ),
        *(
            "64:ff9b::7f00:1",
            "64:ff9b:1::10.0.0.1",
            "100:0:0:1::1",
            "2002:7f00:1::1",
            "3fff::1",
            "5f00::1",
            "fec0::1",
        ),
        *("ff0e::1", "4000::1"),
    ):
        assert ip_address(address)
        assert not address_allowed(address, TargetPolicy())
