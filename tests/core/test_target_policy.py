"""What an operator allows and denies, beside what is never allowed; and the one text of all refusals."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.corpus import CORPUS, Entry
from hookwright.core.address_ranges import NAT64_LENGTHS, nat64_v4
from hookwright.core.addresses import TargetPolicy, address_allowed, explicitly_allowed, target_problem
from hookwright.core.ports import NEVER_PORTS
from hookwright.core.target_rules import (
    parse_allowed_ranges,
    parse_names,
    parse_nat64_prefixes,
    parse_ports,
    parse_ranges,
)

ONE_TEXT = "address not allowed: use the name or address of a public server"


def policy(
    *,
    allowed: Sequence[str] = (),
    denied: Sequence[str] = (),
    allowed_names: Sequence[str] = (),
    denied_names: Sequence[str] = (),
    nat64: Sequence[str] = (),
    allow_private: bool = False,
) -> TargetPolicy:
    return TargetPolicy(
        allow_private=allow_private,
        allowed_ranges=parse_ranges(allowed),
        denied_ranges=parse_ranges(denied),
        allowed_names=parse_names(allowed_names),
        denied_names=parse_names(denied_names),
        nat64_prefixes=parse_nat64_prefixes(nat64),
    )


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "198.51.100.1",
        "224.0.0.1",
        "[::1]",
        "[fe80::1]",
        "[64:ff9b::8.8.8.8]",
        "[2002:808:808::1]",
        "localhost",
        "intranet",
        "db.internal",
        "8.8.4.4",
        "partner.example",
        "api.partner.example",
    ],
)
def test_every_refused_address_and_name_is_refused_in_the_same_words(host: str) -> None:
    rules = policy(denied=["8.8.4.0/24"], denied_names=["partner.example"])
    assert target_problem(f"https://{host}/", rules) == ONE_TEXT


def test_an_allowed_range_is_dialled_though_it_is_private() -> None:
    rules = policy(allowed=["10.1.0.0/16", "fd00:1::/32", "127.0.0.1"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5", "127.0.0.1", "8.8.8.8"):
        assert address_allowed(address, rules)
    for address in ("10.2.0.1", "fd00:2::5", "127.0.0.2", "2002:a01:203::1", "64:ff9b::10.1.2.3"):
        assert not address_allowed(address, rules)
    assert target_problem("https://10.1.2.3/", rules) is None
    assert target_problem("http://10.1.2.3/", rules) == "must start with https://"


def test_what_is_denied_goes_before_what_is_allowed() -> None:
    rules = policy(allowed=["10.0.0.0/8"], denied=["10.1.0.0/16", "8.8.8.8", "2606:4700::/32"])
    assert address_allowed("10.2.0.1", rules)
    for address in ("10.1.0.1", "::ffff:10.1.0.1", "8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1"):
        assert not address_allowed(address, rules)


def test_a_range_is_denied_even_where_private_addresses_are_allowed() -> None:
    rules = policy(denied=["10.1.0.0/16"], allow_private=True)
    assert address_allowed("10.2.0.1", rules)
    for address in ("10.1.0.1", "64:ff9b::10.1.0.1", "2002:a01:1::1", "fe80::5efe:10.1.0.1"):
        assert not address_allowed(address, rules)


def test_metadata_services_are_refused_within_an_allowed_range() -> None:
    rules = policy(allowed=["0.0.0.0/0", "::/0"])
    assert address_allowed("10.0.0.1", rules)
    for address in ("169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "2002:a9fe:a9fe::"):
        assert not address_allowed(address, rules)


def test_a_name_stands_for_all_names_below_it_and_for_no_other() -> None:
    rules = policy(allowed_names=["hooks.corp", "receiver"], denied_names=["evil.example"])
    for host in ("hooks.corp", "a.b.hooks.corp", "receiver", "notevil.example", "evil.example.com"):
        assert target_problem(f"https://{host}/", rules) is None
    for host in ("xhooks.corp", "corp", "evil.example", "EVIL.example", "a.evil.example", "other"):
        assert target_problem(f"https://{host}/", rules) == ONE_TEXT


def test_a_denied_name_is_refused_even_where_private_names_are_allowed() -> None:
    rules = policy(denied_names=["db"], allow_private=True)
    assert target_problem("http://db:8080/", rules) == ONE_TEXT
    assert target_problem("http://receiver:8080/", rules) is None


def test_only_the_ports_that_an_operator_names_are_left_and_never_a_services() -> None:
    rules = TargetPolicy(ports=parse_ports([443, "8000-9999"]))
    assert target_problem("https://example.com/", rules) is None
    assert target_problem("https://example.com:8443/", rules) is None
    for port in (80, 7999, 10_000, 9200):
        problem = target_problem(f"https://example.com:{port}/", rules)
        assert problem is not None
        assert "443 or 8000 to 9999 without those of databases" in problem


@pytest.mark.parametrize("port", sorted(NEVER_PORTS - {0}))
def test_another_services_port_is_refused_whatever_is_allowed(port: int) -> None:
    rules = TargetPolicy(ports=parse_ports(["1-65535"]))
    assert target_problem(f"https://example.com:{port}/", rules) is not None


# -- plain http ------------------------------------------------------------------------------------------------------


def test_plain_http_goes_where_https_may_go_once_it_is_allowed() -> None:
    # The URLs of Kit's own examples: developers.kit.com "List webhooks" and, for v3, "Webhooks".
    for url in ("http://example.convertkit.dev/tags", "http://example.com/incoming", "HTTP://93.184.215.14:8080/"):
        assert target_problem(url, TargetPolicy()) == "must start with https://"
        assert target_problem(url, TargetPolicy(allow_http=True)) is None


@pytest.mark.parametrize(
    "rest",
    [
        *(
            "10.0.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[fd00::1]",
            "[::ffff:10.0.0.1]",
            "localhost",
            "intranet",
        ),
        *("db.internal", "8.8.4.4", "partner.example", "example.com:5432", "example.com:9200", "example.com:22"),
        *("user@example.com", "2130706433", "0x7f.1"),
    ],
)
def test_allowing_plain_http_allows_no_address_name_or_port_more(rest: str) -> None:
    rules = TargetPolicy(
        allow_http=True, denied_ranges=parse_ranges(["8.8.4.0/24"]), denied_names=parse_names(["partner.example"])
    )
    for scheme in ("http", "https"):
        assert target_problem(f"{scheme}://{rest}/", rules) is not None


@pytest.mark.parametrize("entry", [each for each in CORPUS if each.url.lower().startswith("https:")], ids=str)
def test_a_trick_that_https_does_not_get_through_with_plain_http_does_not_either(entry: Entry) -> None:
    url = "http" + entry.url[len("https") :]
    assert target_problem(url, TargetPolicy(allow_http=True)) == target_problem(entry.url, TargetPolicy())


@given(address=st.ip_addresses().map(str))
def test_an_address_is_judged_alike_with_and_without_plain_http(address: str) -> None:
    assert address_allowed(address, TargetPolicy(allow_http=True)) == address_allowed(address, TargetPolicy())
    assert not explicitly_allowed(address, TargetPolicy(allow_http=True))


# -- NAT64 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "address"),
    # RFC 6052 §2.4: each stands for 192.0.2.33.
    [
        ("2001:db8::/32", "2001:db8:c000:221::"),
        ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
        ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
        ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
        ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
        ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
        ("64:ff9b::/96", "64:ff9b::192.0.2.33"),
    ],
)
def test_the_examples_of_the_rfc_are_read_as_it_reads_them(prefix: str, address: str) -> None:
    assert nat64_v4(IPv6Address(address), IPv6Network(prefix)) == IPv4Address("192.0.2.33")


@pytest.mark.parametrize("prefix", ["64:ff9b::/96", "2606:4700:1:2::/96", "fd00:64::/96"])
def test_an_address_below_a_nat64_prefix_is_judged_as_the_ipv4_address_it_stands_for(prefix: str) -> None:
    rules = policy(nat64=[prefix])
    start = prefix.removesuffix("/96")
    for good in ("8.8.8.8", "93.184.215.14"):
        assert address_allowed(start + good, rules)
    for bad in ("10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.1.1", "224.0.0.1", "168.63.129.16"):
        assert not address_allowed(start + bad, rules)


@given(
    prefix=st.sampled_from([ip_network(f"2606:4700::/{length}") for length in NAT64_LENGTHS]),
    destination=st.ip_addresses(v=4),
    suffix=st.integers(0, 2**128 - 1),
)
def test_the_octets_of_the_address_alone_decide_below_a_nat64_prefix(
    prefix: IPv6Network, destination: IPv4Address, suffix: int
) -> None:
    address = bytearray((int(prefix.network_address) | suffix >> prefix.prefixlen).to_bytes(16, "big"))
    places = [place for place in range(prefix.prefixlen // 8, 16) if place != 8 or prefix.prefixlen == 96][:4]
    for place, octet in zip(places, destination.packed, strict=True):
        address[place] = octet
    rules = TargetPolicy(nat64_prefixes=(prefix,))
    # The last four octets may hold an address that is never allowed, in another form; otherwise both judge alike.
    allowed = address_allowed(str(IPv6Address(bytes(address))), rules)
    assert allowed <= address_allowed(str(destination), TargetPolicy())


def test_without_a_prefix_no_nat64_address_is_allowed() -> None:
    assert not address_allowed("64:ff9b::8.8.8.8", policy())


def test_an_allowed_or_denied_ipv4_range_counts_behind_a_nat64_too() -> None:
    rules = policy(nat64=["64:ff9b::/96"], allowed=["10.0.0.0/8"], denied=["8.8.8.0/24"])
    assert address_allowed("64:ff9b::10.0.0.1", rules)
    assert not address_allowed("64:ff9b::8.8.8.8", rules)


def test_own_addresses_are_allowed_only_where_an_operator_names_them() -> None:
    assert explicitly_allowed("93.184.215.14", policy(allowed=["93.184.215.0/24"]))
    assert explicitly_allowed("93.184.215.14", policy(allow_private=True))
    assert not explicitly_allowed("93.184.215.14", policy())
    assert not explicitly_allowed("no address", policy(allow_private=True))


# -- what an operator writes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.0.0.0/33", "no range"),
        ("10.0.0/8", "no range"),
        ("example.com", "no range"),
        ("", "no range"),
        ("10.0.0.1/8", "write 10.0.0.0/8"),
        ("fd00::1/16", "write fd00::/16"),
        ("fe80::1%eth0", "behind its prefix"),
        ("::ffff:10.0.0.0/104", "write 10.0.0.0/8"),
    ],
)
def test_what_is_no_range_is_refused_with_its_cure(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_ranges([text])


@pytest.mark.parametrize("text", ["169.254.169.254", "169.254.0.0/16", "224.0.0.0/8", "fd00:ec2::254", "ff02::/16"])
def test_what_can_never_be_allowed_is_not_taken_as_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="can never be allowed"):
        parse_allowed_ranges([text], ())


def test_a_range_that_is_allowed_and_denied_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.1\.0\.0/16 is denied as well"):
        parse_allowed_ranges(["10.1.0.0/16"], parse_ranges(["10.0.0.0/8"]))
    assert parse_allowed_ranges(["10.0.0.0/8"], parse_ranges(["10.1.0.0/16", "::/0"]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("*.corp", "write corp"),
        (".corp", "write corp"),
        ("a..b", "valid host name"),
        ("https://corp/", "valid host name"),
        ("10.0.0.1", "no name"),
        ("0x7f", "no name"),
        ("straße.example", "ASCII"),
    ],
)
def test_what_is_no_name_is_refused_with_its_cure(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_names([text])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "no port"),
        (65536, "no port"),
        (-1, "no port"),
        ("https", "no port"),
        ("1-", "no port"),
        ("٤٤٣", "no port"),
        ("9-8", "write 8-9"),
        (25, "can never be allowed"),
        ("6666-6669", "can never be allowed"),
    ],
)
def test_what_is_no_port_is_refused_with_its_cure(value: int | str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_ports([value])


def test_no_port_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one port"):
        parse_ports([])


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["10.0.0.0/8"], "no NAT64 prefix"),
        (["64:ff9b::/64", "64:ff9b::/96"], "overlaps"),
        (["64:ff9b::/97"], "no NAT64 prefix"),
        (["2606:4700::/47"], "no NAT64 prefix"),
        (["2606:4700:0:0:ff00::/96"], "bits 64 to 71"),
        (["64:ff9b::1/96"], "behind its prefix"),
    ],
)
def test_what_is_no_nat64_prefix_is_refused_with_its_cure(texts: Sequence[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_nat64_prefixes(texts)
