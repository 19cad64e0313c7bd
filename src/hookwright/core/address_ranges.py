"""Which IP addresses a public server can have.

`ipaddress.is_global` does not decide: Python 3.11 calls multicast, NAT64, 6to4 and Azure's 168.63.129.16 global.
IANA's registries do (`special_ranges`), with what clouds add to them; and an address that holds another one is looked
into.
"""

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_address, ip_network

from hookwright.core.special_ranges import GLOBAL_UNICAST_V6, SPECIAL_V4, SPECIAL_V6

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Public addresses that reach, from inside a cloud, what belongs to the cloud and not to the Internet.
CLOUD_V4 = (
    ("168.63.129.16/32", "Azure's WireServer, which every machine of Azure's reaches"),
    ("161.26.0.0/16", "IBM Cloud's own services"),
    ("166.8.0.0/14", "IBM Cloud's private service endpoints"),
)

# Refused even where an operator allows private addresses: no receiver lives there, and what answers hands out the
# machine's own credentials, or is everybody.
NEVER = (
    ("100.100.100.200/32", "Alibaba's metadata service"),
    ("168.63.129.16/32", "Azure's WireServer"),
    ("169.254.0.0/16", "the metadata services of AWS, Google, Azure, Oracle, OpenStack, Tencent and others"),
    ("192.0.0.192/32", "Oracle's metadata service"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("fd00:42::42/128", "Scaleway's metadata service"),
    ("fd00:c1::a9fe:a9fe/128", "Oracle's metadata service"),
    ("fd00:ec2::/32", "AWS's metadata, credentials, DNS and time services"),
    ("fd20:ce::254/128", "Google's metadata service"),
    ("fe80::a9fe:a9fe/128", "OpenStack's metadata service"),
    ("ff00::/8", "multicast"),
)

_NEVER = tuple(ip_network(network) for network, _ in NEVER)
# Without the ranges inside other ranges: every new connection asks.
_NOT_PUBLIC_V4 = tuple(collapse_addresses(IPv4Network(network) for network, *_ in (*SPECIAL_V4, *CLOUD_V4)))
_NOT_PUBLIC_V6 = tuple(collapse_addresses(IPv6Network(network) for network, *_ in SPECIAL_V6))
_GLOBAL_UNICAST_V6 = tuple(IPv6Network(network) for network, *_ in GLOBAL_UNICAST_V6)

# Forms whose last 32 bits are an IPv4 address, which somebody on the way may send the packet on to.
_HOLD_V4_LAST = tuple(
    IPv6Network(network)
    for network in (
        "::/96",  # IPv4-compatible, RFC 4291 §2.5.5.1
        "::ffff:0:0/96",  # IPv4-mapped, RFC 4291 §2.5.5.2
        "::ffff:0:0:0/96",  # IPv4-translated, RFC 2765 §2.1
    )
)
_SIX_TO_FOUR = IPv6Network("2002::/16")
_TEREDO = IPv6Network("2001::/32")
_WELL_KNOWN_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))

# RFC 6052 §2.2: where the four octets stand for each length of a prefix; the ninth octet is never among them.
_OCTETS_OF_NAT64 = {
    32: (4, 5, 6, 7),
    40: (5, 6, 7, 9),
    48: (6, 7, 9, 10),
    56: (7, 9, 10, 11),
    64: (9, 10, 11, 12),
    96: (12, 13, 14, 15),
}
NAT64_LENGTHS = tuple(_OCTETS_OF_NAT64)


def parse_address(text: str) -> Address | None:
    """A plain IP address, or None. `fe80::1%eth0` names an interface of this machine, so it is none."""
    if "%" in text:
        return None
    try:
        return ip_address(text)
    except ValueError:
        return None


def destination_of(address: Address, nat64_prefixes: Sequence[IPv6Network] = ()) -> Address:
    """Where a packet to an address ends: at an IPv4 one if this is mapped, or if a NAT64 of ours translates it."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return next((nat64_v4(address, prefix) for prefix in nat64_prefixes if address in prefix), address)


def addresses_inside(address: Address, nat64_prefixes: Sequence[IPv6Network] = ()) -> Iterator[Address]:
    """The address itself and every IPv4 address that it may hold, by any of the known forms."""
    yield address
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if any(address in network for network in _HOLD_V4_LAST) or _is_isatap(number):
        yield IPv4Address(number & 0xFFFF_FFFF)
    if address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFF_FFFF)
    if address in _TEREDO:
        # RFC 4380 §4: the server, and the client with every bit turned round.
        yield IPv4Address(number >> 64 & 0xFFFF_FFFF)
        yield IPv4Address(~number & 0xFFFF_FFFF)
    for prefix in (*_WELL_KNOWN_NAT64, *nat64_prefixes):
        if address in prefix:
            yield nat64_v4(address, prefix)
            yield IPv4Address(number & 0xFFFF_FFFF)


def is_public(address: Address) -> bool:
    """Whether a server of the public Internet can have it."""
    if isinstance(address, IPv4Address):
        return not is_within(address, _NOT_PUBLIC_V4)
    is_unicast = is_within(address, _GLOBAL_UNICAST_V6) and not is_within(address, _NOT_PUBLIC_V6)
    return is_unicast and not _is_isatap(int(address))


def is_never_allowed(address: Address) -> bool:
    """Whether it is refused whatever an operator allows."""
    return is_within(address, _NEVER)


def can_never_be_allowed(network: Network) -> bool:
    """Whether every address of a range is refused whatever an operator allows."""
    return any(is_part_of(network, never) for never in _NEVER)


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether it lies in one of these ranges."""
    return any(address in network for network in networks)


def is_part_of(inner: Network, outer: Network) -> bool:
    """Whether all of a range lies in another one."""
    if isinstance(inner, IPv4Network):
        return isinstance(outer, IPv4Network) and inner.subnet_of(outer)
    return isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def nat64_v4(address: IPv6Address, prefix: IPv6Network) -> IPv4Address:
    """The IPv4 address that an address under a NAT64 prefix stands for."""
    return IPv4Address(bytes(address.packed[place] for place in _OCTETS_OF_NAT64[prefix.prefixlen]))


def _is_isatap(number: int) -> bool:
    # RFC 5214 §6.1: an interface id of 0000:5efe or 0200:5efe holds an IPv4 address, which may be private.
    return (number >> 32 & 0xFDFF_FFFF) == 0x5EFE
