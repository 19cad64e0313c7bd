"""Accent colours: a colour that somebody likes, made dark or light enough to be read.

Contrast is that of WCAG 2.2: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import re
from typing import NamedTuple

ENOUGH = 4.5  # for text, level AA

# The least light and the least dark ground that text in the accent colour stands on, in the light and dark theme.
LIGHT_GROUND = "#eceff3"
DARK_GROUND = "#222b36"

ON_DARK = "#ffffff"
ON_LIGHT = "#0b1020"

# So many steps from a colour to black or to white.
STEPS = 64

_HEX = re.compile(r"#[0-9a-f]{6}")

Rgb = tuple[float, float, float]


class Accent(NamedTuple):
    """An accent colour in one theme, and the colour of text that stands on it."""

    colour: str
    text: str


def is_colour(text: str) -> bool:
    """Whether this is a colour as we take it: `#2b50cc`, in lower case."""
    return _HEX.fullmatch(text) is not None


def accent_on(colour: str, ground: str) -> Accent:
    """The nearest to a colour that can be read on a ground, as text and as the ground of text."""
    wanted = BLACK if luminance(ground) > 0.5 else WHITE
    found = next(
        shade
        for step in range(STEPS + 1)
        if contrast(shade := _mixed(colour, wanted, step / STEPS), ground) >= ENOUGH
    )
    return Accent(found, max((ON_DARK, ON_LIGHT), key=lambda text: contrast(text, found)))


def contrast(one: str, other: str) -> float:
    """How far two colours differ for the eye: from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """How light a colour is: from 0, black, to 1, white."""
    red, green, blue = (_linear(part) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


BLACK, WHITE = "#000000", "#ffffff"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> Rgb:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _mixed(colour: str, other: str, share: float) -> str:
    parts = (round(255 * (a + (b - a) * share)) for a, b in zip(_parts(colour), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)
