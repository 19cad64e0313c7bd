"""From a target to a connection: resolve the name, judge every address, dial the address that was judged.

The name is resolved once and the address itself is dialled, so a name that answers differently the second time (DNS
rebinding) gains nothing. Nothing here reads proxy variables, `.netrc` or anything else of the environment.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address

from hookwright.ambient import monotonic_us
from hookwright.core.addresses import Target, TargetPolicy, address_allowed, explicitly_allowed
from hookwright.core.model import SECOND
from hookwright.engine.certificates import refusal_of
from hookwright.engine.connection import Connection, origin_of
from hookwright.engine.failures import NotAllowed, SendFailed, Unanswered, tls_reason
from hookwright.engine.limits import SendLimits
from hookwright.engine.own_addresses import OUR_OWN_ERRORS, is_own_address

Resolve = Callable[[str], Sequence[str]]

MAX_REMEMBERED_NAMES = 10_000
# Of a name's addresses the first ones are looked at, and no other is dialled: DNS over TCP has room for thousands,
# and each is judged in the loop that sends to everybody else (measured: 4,000 in 130 ms).
MAX_ADDRESSES_JUDGED = 32
MAX_ADDRESSES_DIALLED = 8


class Dialler:
    """Opens connections, to allowed addresses only."""

    def __init__(
        self,
        policy: TargetPolicy,
        limits: SendLimits,
        on_lost: Callable[[Connection], None],
        tls: ssl.SSLContext | None,
        resolve: Resolve | None,
    ) -> None:
        self._policy = policy
        self._limits = limits
        self._on_lost = on_lost
        self._tls = tls or verifying_context()
        self._names = NameLookup(resolve or resolve_by_system, limits)

    def close(self) -> None:
        self._names.close()

    async def dial(self, target: Target, deadline: int) -> Connection:
        """A new connection to a target, before a deadline in µs of the monotonic clock.

        Raises SendFailed; raises OSError when this machine itself has no sockets left.
        """
        until = min(deadline, monotonic_us() + round(self._limits.connect_seconds * SECOND))
        addresses = await self._allowed_addresses(target, until)
        failure: SendFailed | None = None
        for tried, address in enumerate(addresses):
            # Each address gets its share of what is left: one that swallows packets must not starve the next.
            share = (until - monotonic_us()) / SECOND / (len(addresses) - tried)
            try:
                return await self._connect(target, address, share)
            except SendFailed as failed:
                failure = failed
        raise failure or SendFailed("dns_failed", "the name has no address")

    async def _allowed_addresses(self, target: Target, until: int) -> Sequence[str]:
        if target.is_address:
            addresses: Sequence[str] = (target.host,)
        else:
            addresses = await self._names.addresses(target.host, until)
        # All must pass: a name with one public and one private address would be dialled on the private one as soon
        # as the public one fails.
        if not all(self._may_dial(address) for address in addresses):
            raise NotAllowed
        return addresses[:MAX_ADDRESSES_DIALLED]

    def _may_dial(self, address: str) -> bool:
        if not address_allowed(address, self._policy):
            return False
        # What our own public addresses offer may be closed to everybody else by a firewall in front of this machine.
        return explicitly_allowed(address, self._policy) or not is_own_address(address)

    async def _connect(self, target: Target, address: str, seconds: float) -> Connection:
        loop = asyncio.get_running_loop()
        secure = target.scheme == "https"
        try:
            async with asyncio.timeout(seconds):
                transport, connection = await loop.create_connection(
                    lambda: Connection(origin_of(target), self._limits, loop, self._on_lost),
                    address,
                    target.port,
                    ssl=self._tls if secure else None,
                    server_hostname=target.host if secure else None,
                )
        except OSError as error:
            if error.errno in OUR_OWN_ERRORS:
                raise
            raise _connect_failure(error, secure, self._limits.connect_seconds) from None
        peer = transport.get_extra_info("peername")
        if peer is None:
            # Reset between the handshake of TCP and our asking: nobody can say any more who it was, so nothing is
            # sent, and it is what it would be a moment later.
            connection.abort()
            raise Unanswered
        if not _is_same_address(peer[0], address):
            connection.abort()
            raise NotAllowed
        return connection


class NameLookup:
    """Resolves names in a few threads of its own, each name once at a time, and remembers the answers briefly."""

    def __init__(self, resolve: Resolve, limits: SendLimits) -> None:
        self._resolve = resolve
        self._lifetime = round(limits.name_seconds * SECOND)
        self._threads = ThreadPoolExecutor(limits.name_threads, thread_name_prefix="hookwright-names")
        self._lookups: dict[str, tuple[int, asyncio.Future[Sequence[str]]]] = {}

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, name: str, until: int) -> Sequence[str]:
        """The addresses of a name, never empty. Raises SendFailed."""
        lookup = self._lookup(name)
        addresses = lookup.result() if lookup.done() else await self._in_time(lookup, until)
        if not addresses:
            raise SendFailed("dns_failed", "the name has no address")
        return addresses

    async def _in_time(self, lookup: "asyncio.Future[Sequence[str]]", until: int) -> Sequence[str]:
        try:
            async with asyncio.timeout((until - monotonic_us()) / SECOND):
                # Shielded: the look-up is shared, and must survive a caller that gives up.
                return await asyncio.shield(lookup)
        except TimeoutError:
            raise SendFailed("dns_failed", "the name was not resolved in time") from None

    def _lookup(self, name: str) -> "asyncio.Future[Sequence[str]]":
        now = monotonic_us()
        started, lookup = self._lookups.get(name, (0, None))
        if lookup is not None and (not lookup.done() or now < started + self._lifetime):
            return lookup
        if len(self._lookups) >= MAX_REMEMBERED_NAMES:
            self._lookups = {name: entry for name, entry in self._lookups.items() if not entry[1].done()}
        lookup = asyncio.get_running_loop().run_in_executor(self._threads, _addresses_or_none, self._resolve, name)
        self._lookups[name] = (now, lookup)
        return lookup


class SparingSSLObject(ssl.SSLObject):
    """A TLS connection that does not spell its peer's certificate out.

    The event loop asks for that after every handshake, for a field that nobody reads; with the hundreds of names of
    some certificates it takes as long as a fifth of the handshake. The certificate itself was judged by OpenSSL
    before, in the handshake, as the context says.
    """

    def getpeercert(self, binary_form: bool = False) -> None:
        return None

    def do_handshake(self) -> None:
        """As always; a refused certificate is noted with the refusal, to tell people what is wrong with it."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            # Public only since 3.13, and only as bytes. Without it the refusal says a little less. A name that is
            # no UTF-8, say, raises here, and is no reason for anything but the refusal.
            with suppress(Exception):
                error.refused_certificate = self._sslobj.get_unverified_chain()[0].get_info()  # type: ignore[attr-defined]
            raise


def verifying_context() -> ssl.SSLContext:
    """TLS 1.2 or newer, the system's authorities, the host name checked."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.sslobject_class = SparingSSLObject
    return context


def resolve_by_system(name: str) -> list[str]:
    """Every address of a name, in the order of RFC 6724, as the system's resolver answers. Blocks."""
    found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    # The scope of a link-local answer is a fourth field, which `sockaddr[0]` shows as `fe80::1%eth0`.
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _addresses_or_none(resolve: Resolve, name: str) -> Sequence[str]:
    # UnicodeError: a label that the codec for names refuses.
    with suppress(OSError, UnicodeError):
        return resolve(name)[:MAX_ADDRESSES_JUDGED]
    return ()


def _connect_failure(error: OSError, secure: bool, seconds: float) -> SendFailed:
    if isinstance(error, TimeoutError):
        return SendFailed("connect_timeout", f"no connection within {seconds:g} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return SendFailed("tls_failed", f"the certificate is not accepted: {refusal_of(error)}")
    if isinstance(error, ssl.SSLError):
        return SendFailed("tls_failed", f"the TLS handshake failed: {tls_reason(error)}")
    if isinstance(error, ConnectionRefusedError):
        return SendFailed("connect_refused", "the connection was refused")
    if secure and isinstance(error, ConnectionError):
        return SendFailed("tls_failed", "the connection was closed during the TLS handshake")
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return SendFailed("connect_failed", "the receiver cannot be reached: there is no route to it")
    return SendFailed("connect_failed", "the receiver cannot be reached")


def _is_same_address(one: str, other: str) -> bool:
    return one == other or ip_address(one) == ip_address(other)
