"""How much time, memory and patience one sending may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SendLimits:
    """What a receiver may take from us. Durations are in seconds, sizes in bytes."""

    connect_seconds: float = 5.0  # name, TCP and TLS together
    total_seconds: float = 15.0  # all of it, to the last byte of the answer; what comes of its body by then is kept
    body_read_bytes: int = 65_536  # beyond this an answer is cut: it counts, but its connection is closed
    body_kept_bytes: int = 16_384  # how much of the body the outcome shows
    header_bytes: int = 32_768
    header_count: int = 100
    informational_count: int = 10  # 1xx answers before the real one
    idle_seconds: float = 30.0
    # As many as one worker has in flight to one receiver; fewer, and a burst closes connections to open them again.
    idle_per_host: int = 256
    idle_total: int = 4 * idle_per_host
    # A refused address answers after this time, or the next multiple of it: not sooner for a literal than for a name.
    refusal_seconds: float = 0.25
    name_seconds: float = 10.0  # how long the addresses of a name are remembered
    name_threads: int = 32  # look-ups at the same time, one for each name
