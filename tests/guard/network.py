"""A network in which every address is local, and what stands in it: names, certificates, the ports to listen on."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import trustme

from guard.corpus import CORPUS
from guard.name_server import NameServer, Zone
from guard.tripwire import Dialled, Tripwire
from hookwright.core.addresses import parse_target

PUBLIC = "93.184.215.14"
OWN = ("93.184.215.99/32", "2606:2800:21f::99/128")
PORTS = {80, 443, 8443, 3000, 3128, 8080}
PRIVATE = Dialled("10.0.0.1", 443)

# Without `src` every address would pass for one of this machine's own.
NETWORK = (
    "ip link set lo up",
    "ip route add local 0.0.0.0/0 dev lo src 127.0.0.1",
    "ip -6 route add local ::/0 dev lo src ::1",
    *(f"ip address add {address} dev lo" for address in OWN),
)


def make_network(folder: Path) -> None:
    """Have every address lead here, in the namespaces that this process is in, and every name be asked of us."""
    # Elsewhere than in a new namespace this would cut the machine off, and dial what must not be dialled.
    assert [name for _, name in socket.if_nameindex()] == ["lo"], "run this by `unshare --net --mount`"
    for command in NETWORK:
        subprocess.run(command.split(), check=True)
    ask_only_us(folder)


async def tripwire_everywhere(authority: trustme.CA) -> Tripwire:
    """A tripwire that has shown that it works, on every port that the corpus names, and the name server beside it."""
    tripwire = Tripwire(server_context(authority))
    await tripwire.listen(PORTS | ports_of_the_corpus())
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: NameServer(zones()), ("127.0.0.1", 53))
    await touch(tripwire)
    return tripwire


def ask_only_us(folder: Path) -> None:
    """Have every process in this mount namespace ask our name server, and nothing else, for names."""
    for name, text in {
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:10 attempts:2\n",
        "nsswitch.conf": "hosts: files dns\n",
    }.items():
        if (Path("/etc") / name).exists():
            (folder / name).write_text(text)
            subprocess.run(["mount", "--bind", folder / name, f"/etc/{name}"], check=True)


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """A certificate for all that may be reached: who is not let through by the guard is not stopped by TLS."""
    hosts = [parse_target(entry.url).host for entry in CORPUS if entry.verdict != "refused"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*dict.fromkeys(hosts)).configure_cert(context)
    return context


def ports_of_the_corpus() -> set[int]:
    named = re.findall(r":(\d{1,5})(?:/|$)", "\n".join(entry.url for entry in CORPUS), re.MULTILINE)
    return {int(port) for port in named if 1 <= int(port) <= 65535}


def zones() -> Mapping[str, Zone]:
    """What every name of the corpus resolves to; those without answers of their own are public."""
    found: dict[str, Zone] = {}
    for entry in CORPUS:
        if entry.verdict in ("refused", "unresolved") and not entry.answers:
            continue
        target = parse_target(entry.url)
        if not target.is_address:
            found[target.host] = Zone(entry.answers or ((PUBLIC,),), entry.alias)
    return found


async def touch(tripwire: Tripwire) -> None:
    """Dial a private address, so that nobody can say that the tripwire would not have noticed."""
    reader, writer = await asyncio.open_connection(*PRIVATE)
    writer.write(b"no TLS\r\n\r\n")
    with suppress(ConnectionError):
        await reader.read()  # to the end, which comes as this is no TLS
    writer.close()
    assert tripwire.dialled[PRIVATE] == 1
    tripwire.dialled.clear()
