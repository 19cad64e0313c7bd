"""The ids in paths."""

from hookwright.core.errors import NotFound
from hookwright.core.lanes import MAX_ID


def parse_id(text: str) -> int:
    """The id in a path. Raises NotFound for what cannot be one."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MAX_ID)) or int(text) > MAX_ID:
        raise NotFound(f"{text[:20]} does not exist")
    return int(text)
