"""Which ports a target may have."""

from collections.abc import Sequence

PortRange = tuple[int, int]  # both included

DEFAULT_PORTS = {"http": 80, "https": 443}
PRODUCTION_PORTS: tuple[PortRange, ...] = ((80, 80), (443, 443), (1024, 65535))

# What browsers refuse to talk HTTP to, since what listens there may take a request for its own protocol:
# https://fetch.spec.whatwg.org/#port-blocking
_OTHER_PROTOCOLS = frozenset(
    {0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109}
    | {110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530}
    | {531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190}
    | {5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080}
)
# Databases, queues, caches, file shares and control planes: a POST that reaches one by mistake may be obeyed.
_SERVICES = frozenset(
    {445, 873, 1433, 1521, 2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5432, 5672, 5900, 5984, 5985, 5986, 6379}
    | {9042, 9092, 9200, 9300, 10250, 10255, 11211, 27017, 27018, 27019}
)
NEVER_PORTS = _OTHER_PROTOCOLS | _SERVICES


def is_allowed_port(port: int, ranges: Sequence[PortRange]) -> bool:
    """Whether a port lies in one of these ranges and is no other service's."""
    return port not in NEVER_PORTS and any(first <= port <= last for first, last in ranges)


def port_ranges_in_words(ranges: Sequence[PortRange]) -> str:
    """`80, 443 or 1024 to 65535 without those of databases, mail and the like`."""
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in ranges]
    listed = " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    has_gaps = any(first <= port <= last for first, last in ranges for port in NEVER_PORTS)
    return f"{listed} without those of databases, mail and the like" if has_gaps else listed
