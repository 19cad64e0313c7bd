"""What operators write of targets: ranges, names, ports and NAT64 prefixes, taken apart or refused in words.

Each function raises ValueError with a sentence that names what is wrong and its cure.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from hookwright.core.address_ranges import (
    NAT64_LENGTHS,
    Network,
    can_never_be_allowed,
    is_part_of,
    parse_address,
)
from hookwright.core.addresses import ascii_host, looks_numeric
from hookwright.core.ports import NEVER_PORTS, PortRange

_MAPPED = IPv6Network("::ffff:0:0/96")


def parse_ranges(texts: Iterable[str]) -> tuple[Network, ...]:
    """Ranges in CIDR notation, or single addresses."""
    return tuple(map(_parse_range, texts))


def parse_allowed_ranges(texts: Iterable[str], denied: Sequence[Network]) -> tuple[Network, ...]:
    """Ranges that can be allowed: neither refused in any case nor wholly denied."""
    allowed = parse_ranges(texts)
    for network in allowed:
        if can_never_be_allowed(network):
            raise ValueError(f"{network} can never be allowed: it is a metadata service or multicast")
        if any(is_part_of(network, each) for each in denied):
            raise ValueError(f"{network} is denied as well, which goes first; take it out of one of the two")
    return allowed


def parse_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Host names in lower-case ASCII; each stands for all names below it too."""
    return tuple(map(_parse_name, texts))


def parse_ports(values: Iterable[int | str]) -> tuple[PortRange, ...]:
    """Ports (443) and ranges of them ("8000-8999"); at least one, and each must allow some port."""
    ranges = tuple(map(_parse_port_range, map(str, values)))
    if not ranges:
        raise ValueError("must name at least one port, such as 443")
    return ranges


def parse_nat64_prefixes(texts: Iterable[str]) -> tuple[IPv6Network, ...]:
    """NAT64 prefixes of the forms of RFC 6052, none inside another."""
    prefixes = tuple(map(_parse_nat64_prefix, texts))
    for place, prefix in enumerate(prefixes):
        if any(prefix.overlaps(other) for other in prefixes[:place]):
            raise ValueError(f"{prefix} overlaps another prefix: an address below both would stand for two others")
    return prefixes


def _parse_range(text: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no range of addresses: write one like 10.1.0.0/16 or fd00:1::/32") from None
    if parse_address(text.partition("/")[0]) != network.network_address:
        raise ValueError(f"{text} has bits behind its prefix: write {network}")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        inside = IPv4Network((int(network.network_address) & 0xFFFF_FFFF, network.prefixlen - 96))
        raise ValueError(f"{text} is dialled as IPv4: write {inside}")
    return network


def _parse_name(text: str) -> str:
    if text.startswith(("*.", ".")):
        raise ValueError(f"{text!r}: write {text.lstrip('*.')}, which stands for all names below it too")
    try:
        name = ascii_host(text)
    except ValueError as error:
        raise ValueError(f"{text!r} {error}") from None
    if looks_numeric(name):
        raise ValueError(f"{text!r} is no name: addresses belong to the ranges")
    return name


def _parse_port_range(text: str) -> PortRange:
    first_text, dash, last_text = text.partition("-")
    first = _parse_port(first_text, text)
    last = _parse_port(last_text, text) if dash else first
    if last < first:
        raise ValueError(f"{text} ends before it begins: write {last}-{first}")
    if all(port in NEVER_PORTS for port in range(first, last + 1)):
        raise ValueError(f"{text} can never be allowed: other services than web servers listen there")
    return first, last


def _parse_port(text: str, whole: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise ValueError(f"{whole!r} is no port from 1 to 65535, nor a range such as 8000-8999")
    return int(text)


def _parse_nat64_prefix(text: str) -> IPv6Network:
    prefix = _parse_range(text)
    if isinstance(prefix, IPv4Network) or prefix.prefixlen not in NAT64_LENGTHS:
        lengths = ", ".join(f"/{length}" for length in NAT64_LENGTHS)
        raise ValueError(f"{text} is no NAT64 prefix: RFC 6052 has IPv6 prefixes of {lengths}")
    if prefix.network_address.packed[8]:
        raise ValueError(f"{text} is no NAT64 prefix: RFC 6052 wants bits 64 to 71 to be 0")
    return prefix
