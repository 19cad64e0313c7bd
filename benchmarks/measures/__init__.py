"""Every measure, in the order in which they run and are printed."""

from benchmarks.measure import Measure
from benchmarks.measures.backlog import BACKLOG
from benchmarks.measures.console import CONSOLE, CONSOLE_SQLITE
from benchmarks.measures.fanout import FANOUT
from benchmarks.measures.idle import IDLE
from benchmarks.measures.latency import LATENCY
from benchmarks.measures.own_cost import OWN_COST
from benchmarks.measures.soak import SOAK
from benchmarks.measures.starting import HELP, START
from benchmarks.measures.throughput import (
    POSTGRES_BATCH,
    POSTGRES_MANY_ACCOUNTS,
    POSTGRES_PROCESSES,
    POSTGRES_SINGLE,
    SQLITE_BATCH,
)
from benchmarks.measures.tls import TLS

MEASURES: tuple[Measure, ...] = (
    OWN_COST,
    POSTGRES_BATCH,
    POSTGRES_PROCESSES,
    POSTGRES_SINGLE,
    POSTGRES_MANY_ACCOUNTS,
    SQLITE_BATCH,
    TLS,
    LATENCY,
    BACKLOG,
    FANOUT,
    CONSOLE,
    CONSOLE_SQLITE,
    SOAK,
    IDLE,
    START,
    HELP,
)
