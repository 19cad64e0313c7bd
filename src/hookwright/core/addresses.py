"""Which URLs and addresses we may send to.

One parser serves the check and the sender, so that the host that was judged is the host that is dialled. The
standard library's `urlsplit` is not used: it drops tabs and newlines, takes `http://a@b@c/` and reads a host behind
a backslash. Nor does `ipaddress.is_global` decide: Python 3.11 calls multicast, NAT64 and Azure's 168.63.129.16
global. The tables below are the IANA special-purpose address registries, written out, and what clouds add to them:
https://www.iana.org/assignments/iana-ipv4-special-registry https://www.iana.org/assignments/iana-ipv6-special-registry
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import quote

from msgspec import Struct

MAX_URL_LENGTH = 2048
MAX_HOST_LENGTH = 253
DEFAULT_PORTS = {"http": 80, "https": 443}

# The one text for every address that we refuse. It must not tell an open port of an internal network from a
# closed one, nor a name that resolves to such a network from another.
ADDRESS_NOT_ALLOWED = "address not allowed"

# Ports below 1024 that a target may have; above, all but the services below.
OPEN_LOW_PORTS = frozenset({80, 443, 8443})
# Databases, queues, caches and control planes above 1023: a POST that reaches one by mistake may be obeyed.
SERVICE_PORTS = frozenset(
    {1433, 1521, 2049, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5672, 5900, 5984, 6379, 9042, 9092, 9200, 9300}
    | {10250, 11211, 27017, 27018, 27019}
)

_SPECIAL_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared address space; Alibaba's metadata service is 100.100.100.200
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local; the metadata services of AWS, Google, Azure, OpenStack
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata service is 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relay
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "168.63.129.16/32",  # Azure's WireServer: a public address that every Azure machine reaches
    )
)

# Only global unicast is open; that alone refuses loopback, unique local, link local, multicast, the IPv4-compatible
# and IPv4-translated forms, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard-only and segment-routing addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, drone ids
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds an IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)

# Refused even where private addresses are allowed: no receiver lives there, and what answers hands out the
# machine's own credentials, or is everybody.
_NEVER_V4 = tuple(
    IPv4Network(network)
    for network in (
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.169.254/32",
        "169.254.170.2/32",
        "192.0.0.192/32",
        "224.0.0.0/4",
        "255.255.255.255/32",
    )
)
_NEVER_V6 = tuple(IPv6Network(network) for network in ("fd00:ec2::254/128", "fd20:ce::254/128", "ff00::/8"))

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DOTTED_QUAD = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_PRIVATE_NAMES = ("localhost", "local", "internal", "localdomain")
# What RFC 3986 lets stand in a path or query, and "%", "[" and "]", which receivers expect back as they wrote them.
_VERBATIM = "!$&'()*+,-./:;=?@_~%[]"


class TargetPolicy(Struct, frozen=True):
    """What targets are allowed. The default is production's: https to public addresses."""

    allow_private: bool = False  # private, loopback and other special-purpose addresses, and plain http


class Target(Struct, frozen=True, kw_only=True):
    """A URL taken apart into what the sender dials and what it writes; nothing is judged yet."""

    scheme: str  # "http" or "https"
    host: str  # lower-case ASCII: a name, or an address without brackets
    is_address: bool
    port: int
    path: str  # the request target of RFC 9112 §3.2.1: path and query as given, "/" when there is no path

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def target_problem(url: str, policy: TargetPolicy) -> str | None:
    """Why a URL cannot be a target, in words for the person who gave it, or None if it can."""
    try:
        target = parse_target(url)
    except ValueError as error:
        return str(error)
    if target.is_address:
        if not address_allowed(target.host, policy):
            return f"{ADDRESS_NOT_ALLOWED}: use the name or address of a public server"
    elif not policy.allow_private and _is_private_name(target.host):
        return f"must name a public server: {target.host} only means something inside a private network"
    if not policy.allow_private:
        return _production_problem(target)
    return None


def parse_target(url: str) -> Target:
    """The parts of an absolute http or https URL. Raises ValueError, in words for the person who gave it."""
    _check_characters(url)
    parts = _URL.match(url)
    if parts is None:
        raise ValueError("must be a whole URL, such as https://example.com/hooks")
    if parts.end() != len(url):
        raise ValueError("must not have a fragment (#…): it would never be sent")
    scheme = parts["scheme"].lower()
    if scheme not in DEFAULT_PORTS:
        raise ValueError("must start with https://")
    host, is_address, port = _parse_authority(parts["authority"], DEFAULT_PORTS[scheme])
    path = (parts["path"] or "/") + (parts["query"] or "")
    return Target(scheme=scheme, host=host, is_address=is_address, port=port, path=quote(path, safe=_VERBATIM))


def address_allowed(address: str, policy: TargetPolicy) -> bool:
    """Whether we may dial an IP address (textual, v4 or v6)."""
    # Before it is parsed: `fe80::1%eth0` names an interface of this machine.
    if "%" in address:
        return False
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    # `::ffff:127.0.0.1` is dialled as IPv4, so it is judged as IPv4.
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    if isinstance(parsed, IPv4Address):
        refused = _NEVER_V4 if policy.allow_private else _SPECIAL_V4
        return not any(parsed in network for network in refused)
    if policy.allow_private:
        return not any(parsed in network for network in _NEVER_V6)
    special = any(parsed in network for network in _SPECIAL_V6)
    return parsed in _GLOBAL_UNICAST and not special and not _is_isatap(parsed)


def _check_characters(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"is too long (at most {MAX_URL_LENGTH} characters)")
    if _UNPRINTABLE.search(url):
        raise ValueError("must not contain control characters")
    if any(character.isspace() for character in url):
        raise ValueError("must not contain spaces: write %20")
    if "\\" in url:
        raise ValueError("must not contain a backslash: write / or %5C")


def _parse_authority(authority: str, default_port: int) -> tuple[str, bool, int]:
    if "@" in authority:
        raise ValueError("must not contain a user name or password: receivers check our signature instead")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or not parts["host"]:
        raise ValueError("must name a host, as in https://example.com/hooks")
    host, is_address = _parse_host(parts["host"])
    return host, is_address, default_port if parts["port"] is None else _parse_port(parts["port"])


def _parse_port(text: str) -> int:
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise ValueError("must have a port from 1 to 65535, or none")
    return int(text)


def _parse_host(text: str) -> tuple[str, bool]:
    if text.startswith("["):
        return _parse_v6(text[1:-1]), True
    host = _ascii_host(text)
    # `127.1`, `2130706433`, `0x7f.1` and `0177.0.0.1` are all 127.0.0.1 to getaddrinfo, so a host whose last label
    # is a number must be an address in full (WHATWG URL, "ends in a number").
    if _LOOKS_NUMERIC.fullmatch(host.rpartition(".")[2]):
        return _parse_v4(host), True
    return host, False


def _parse_v4(text: str) -> str:
    try:
        if _DOTTED_QUAD.fullmatch(text):
            return str(IPv4Address(text))
    except ValueError:
        pass
    raise ValueError("must write an IPv4 address as four plain numbers from 0 to 255, such as 203.0.113.7")


def _parse_v6(text: str) -> str:
    if "%" in text:
        raise ValueError("must not name a network interface (%…) in an address")
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise ValueError("must have an IPv6 address between [ and ]") from None


def _ascii_host(text: str) -> str:
    host = text.lower()
    if not host.isascii():
        host = _punycode(host)
    if len(host) > MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise ValueError("must have a valid host name: letters, digits and hyphens between single dots")
    return host


def _punycode(host: str) -> str:
    # IDNA 2003, which Python has, maps `①②⑦.⓪.⓪.①` to 127.0.0.1, `ⓛocalhost` to localhost and `straße` to
    # `strasse`, another domain today. Only a name that comes back as it was given is one that nothing was done to.
    try:
        encoded = host[: MAX_HOST_LENGTH + 1].encode("idna")
        if encoded.decode("idna") == host:
            return encoded.decode("ascii").lower()
    except UnicodeError:
        pass
    raise ValueError("must write an international host name in its ASCII form (xn--…)")


def _production_problem(target: Target) -> str | None:
    if target.scheme != "https":
        return "must start with https://"
    if target.port in SERVICE_PORTS or (target.port < 1024 and target.port not in OPEN_LOW_PORTS):
        return f"must not use port {target.port}: use 443, 8443, or one above 1023 that is no database's or queue's"
    return None


def _is_private_name(host: str) -> bool:
    # A name without a dot is looked up in the machine's own search domains.
    return "." not in host or host.rpartition(".")[2] in _PRIVATE_NAMES


def _is_isatap(address: IPv6Address) -> bool:
    # RFC 5214 §6.1: an interface id of 0000:5efe or 0200:5efe holds an IPv4 address, which may be private.
    return (int(address) >> 32 & 0xFDFF_FFFF) == 0x5EFE
