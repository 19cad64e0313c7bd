"""The ids in paths."""

from hookwright.core.errors import NotFound
from hookwright.core.lanes import id_in


def parse_id(text: str) -> int:
    """The id in a path. Raises NotFound for what cannot be one."""
    id = id_in(text)
    if id is None:
        raise NotFound(f"{text[:20]} does not exist")
    return id
