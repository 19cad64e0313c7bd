"""A body as lines for people: JSON is set out."""

import json


def body_lines(body: bytes | str) -> list[str]:
    """JSON with one member a line; anything else, and JSON that is nested too deep to be set out, as it came."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = body if isinstance(body, str) else body.decode(errors="replace")
    return text.splitlines()
