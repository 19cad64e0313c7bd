"""JSON pointers (RFC 6901): where in a document something is."""

from collections.abc import Iterable


def pointer_to(steps: Iterable[str | int], root: str = "") -> str:
    """The pointer that leads from `root` through member names and positions."""
    return root + "".join(f"/{_escaped(str(step))}" for step in steps)


def _escaped(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
