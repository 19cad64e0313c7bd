"""How deep JSON is nested: what is deeper than people write costs every reader a stack."""

# Far deeper than anybody writes, and far from the end of any reader's stack.
MAX_DEPTH = 64


def is_nested_deeper(value: object, levels: int) -> bool:
    """Whether lists and objects stand in one another more than this many times."""
    layer = [value]
    for _ in range(levels + 1):
        layer = [child for each in layer for child in _members(each)]
        if not layer:
            return False
    return True


def _members(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
