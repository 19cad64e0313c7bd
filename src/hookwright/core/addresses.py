"""Which URLs and addresses we may send to.

One parser serves the check and the sender, so that the host that was judged is the host that is dialled. The
standard library's `urlsplit` is not used: it drops tabs and newlines, takes `http://a@b@c/` and reads a host behind
a backslash. Whether an address is public, `address_ranges` says. Nothing here asks a resolver: what a name resolves
to is judged when it is dialled (engine/dialling.py), with `address_allowed`.
"""

import re
import unicodedata
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from urllib.parse import quote

from msgspec import Struct

from hookwright.core.address_ranges import (
    Network,
    addresses_inside,
    destination_of,
    is_never_allowed,
    is_public,
    is_within,
    parse_address,
)
from hookwright.core.ports import DEFAULT_PORTS, PRODUCTION_PORTS, PortRange, is_allowed_port, port_ranges_in_words

MAX_URL_LENGTH = 2048
MAX_HOST_LENGTH = 253

# The one text for every address and host that we refuse. It must not tell an open port of an internal network from a
# closed one, nor one range from another, nor what is private from what an operator denies.
ADDRESS_NOT_ALLOWED = "address not allowed"
_USE_ANOTHER = f"{ADDRESS_NOT_ALLOWED}: use the name or address of a public server"

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_LABELS = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_DOTTED_QUAD = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_LOOKS_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LETTERS_AND_DIGITS = frozenset({"Ll", "Lo", "Lm", "Mn", "Mc", "Nd"})
_SPACE = re.compile(r"\s")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")

# Names that only mean something inside a network: RFC 6761, 6762, 7686, 8375, 9476, ICANN's `internal` (2024) …
_RESERVED_NAMES = ("alt", "home.arpa", "internal", "invalid", "local", "localhost", "onion")
# … and those that are widely used like that (RFC 6762, appendix G).
_PRIVATE_NAMES = (*_RESERVED_NAMES, "corp", "home", "intranet", "lan", "localdomain", "private")
# What RFC 3986 lets stand in a path or query, and "%", "[" and "]", which receivers expect back as they wrote them.
_VERBATIM = "!$&'()*+,-./:;=?@_~%[]"


class TargetPolicy(Struct, frozen=True):
    """What targets are allowed. The default is production's: https to public addresses.

    What is denied goes before what is allowed. A name stands for itself and for all names below it.
    """

    allow_private: bool = False  # private, loopback and other special-purpose addresses, any port, and plain http
    allow_http: bool = False  # plain http to what may be reached by https; it says nothing about addresses
    allowed_ranges: tuple[Network, ...] = ()
    denied_ranges: tuple[Network, ...] = ()
    allowed_names: tuple[str, ...] = ()  # though they only mean something inside a network
    denied_names: tuple[str, ...] = ()
    ports: tuple[PortRange, ...] = PRODUCTION_PORTS
    nat64_prefixes: tuple[IPv6Network, ...] = ()  # addresses below them are judged as the IPv4 address they hold


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
        allowed_target(url, policy)
    except ValueError as error:
        return str(error)
    return None


def allowed_target(url: str, policy: TargetPolicy) -> Target:
    """The parts of a URL that may be a target. Raises ValueError, in words for the person who gave it."""
    target = parse_target(url)
    is_allowed = address_allowed if target.is_address else _name_allowed
    if not is_allowed(target.host, policy):
        raise ValueError(_USE_ANOTHER)
    if not policy.allow_private:
        _check_production(target, policy)
    return target


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
    parsed = parse_address(address)
    if parsed is None:
        return False
    # An address inside an address is looked for in what is never allowed too: 6to4 or a NAT64 may lead to it.
    for each in addresses_inside(parsed, policy.nat64_prefixes):
        if is_never_allowed(each) or is_within(each, policy.denied_ranges):
            return False
    destination = destination_of(parsed, policy.nat64_prefixes)
    return policy.allow_private or is_within(destination, policy.allowed_ranges) or is_public(destination)


def explicitly_allowed(address: str, policy: TargetPolicy) -> bool:
    """Whether an operator has allowed this very address, or all private ones."""
    parsed = parse_address(address)
    if parsed is None:
        return False
    destination = destination_of(parsed, policy.nat64_prefixes)
    return policy.allow_private or is_within(destination, policy.allowed_ranges)


def ascii_host(text: str) -> str:
    """A host name in lower-case ASCII. Raises ValueError, in words for the person who gave it."""
    host = text.lower()
    if not text.isascii():
        host = _punycode(host)
    if len(host) > MAX_HOST_LENGTH or not _LABELS.fullmatch(host):
        raise ValueError("must have a valid host name: letters, digits and hyphens between single dots")
    return host


def looks_numeric(host: str) -> bool:
    """Whether a resolver may take a name for an address.

    `127.1`, `2130706433`, `0x7f.1` and `0177.0.0.1` are all 127.0.0.1 to getaddrinfo, so a host whose last label is a
    number must be an address in full (WHATWG URL, "ends in a number").
    """
    return _LOOKS_NUMERIC.fullmatch(host.rpartition(".")[2]) is not None


def _check_characters(url: str) -> None:
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"is too long (at most {MAX_URL_LENGTH} characters)")
    if _UNPRINTABLE.search(url):
        raise ValueError("must not contain control characters")
    if _SPACE.search(url):
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
    host = ascii_host(text)
    if looks_numeric(host):
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


def _punycode(host: str) -> str:
    # IDNA 2003, which Python has, maps `①②⑦.⓪.⓪.①` to 127.0.0.1, `ⓛocalhost` to localhost and `straße` to
    # `strasse`, another domain today. Only a name that comes back as it was given is one that nothing was done to.
    # One that is ASCII by now was not before: the Kelvin sign becomes a `k` in lower case.
    try:
        encoded = host[: MAX_HOST_LENGTH + 1].encode("idna")
        if encoded.decode("idna") == host and not host.isascii() and _is_made_of_letters(host):
            return encoded.decode("ascii").lower()
    except UnicodeError:
        pass
    raise ValueError("must write an international host name in its ASCII form (xn--…)")


def _is_made_of_letters(host: str) -> bool:
    # What IDNA 2008 lets into names (RFC 5892 §2.1), so no fraction slash; and digits of no script make a whole label
    # at the end, where they would be read as an address.
    spelt = all(each in ".-_" or unicodedata.category(each) in _LETTERS_AND_DIGITS for each in host)
    return spelt and not host.rpartition(".")[2].isdigit()


def _check_production(target: Target, policy: TargetPolicy) -> None:
    if target.scheme != "https" and not policy.allow_http:
        raise ValueError("must start with https://")
    if not is_allowed_port(target.port, policy.ports):
        raise ValueError(f"must not use port {target.port}: use {port_ranges_in_words(policy.ports)}")


def _name_allowed(host: str, policy: TargetPolicy) -> bool:
    if _is_below(host, policy.denied_names):
        return False
    return policy.allow_private or _is_below(host, policy.allowed_names) or not _is_private_name(host)


def _is_private_name(host: str) -> bool:
    # A name without a dot is looked up in the machine's own search domains.
    return "." not in host or _is_below(host, _PRIVATE_NAMES)


def _is_below(host: str, names: tuple[str, ...]) -> bool:
    return host in names or host.endswith(_suffixes(names))


@lru_cache(maxsize=16)
def _suffixes(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f".{name}" for name in names)
