"""The header `traceparent`: which trace a request belongs to, and where in it (W3C Trace Context, level 1, §3.2).

`00-<trace id, 32 hex digits>-<parent id, 16 hex digits>-<flags, 2 hex digits>`, in lower case.
"""

import re

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_TRACE_ID = slice(3, 35)


def known_traceparent(header: str | None) -> str | None:
    """What we keep of a header: version 00 of it, or None when it says nothing that the specification allows.

    A later version may carry more behind these four fields; it is read as if it were version 00 (§4.3).
    """
    found = _TRACEPARENT.fullmatch(header.strip()) if header is not None else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, rest = found.groups()
    if version == "ff" or (version == "00" and rest) or not trace_id.strip("0") or not parent_id.strip("0"):
        return None
    return f"00-{trace_id}-{parent_id}-{flags}"


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace id in a traceparent that was kept."""
    return None if traceparent is None else traceparent[_TRACE_ID]
