"""Accent colours that can be read, whatever colour somebody likes."""

import pytest

from hookwright.core.colours import (
    DARK_GROUND,
    ENOUGH,
    LIGHT_GROUND,
    accent_on,
    contrast,
    is_colour,
    luminance,
)


def test_contrast_is_as_the_guidelines_reckon_it() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert luminance("#ff0000") == pytest.approx(0.2126)


@pytest.mark.parametrize("colour", ["#ffffff", "#000000", "#ffd400", "#2b50cc", "#00ff00", "#222b36", "#eceff3"])
@pytest.mark.parametrize("ground", [LIGHT_GROUND, DARK_GROUND])
def test_every_colour_becomes_one_that_can_be_read_and_written_on(colour: str, ground: str) -> None:
    accent = accent_on(colour, ground)
    assert contrast(accent.colour, ground) >= ENOUGH
    assert contrast(accent.text, accent.colour) >= ENOUGH


def test_a_colour_that_can_be_read_stays_as_it_is() -> None:
    assert accent_on("#2b50cc", LIGHT_GROUND).colour == "#2b50cc"
    assert accent_on("#93b1ff", DARK_GROUND).colour == "#93b1ff"


@pytest.mark.parametrize("text", ["", "red", "#fff", "#FFFFFF", "#ffffff;", "#ffffff\n", "2b50cc"])
def test_nothing_else_is_a_colour(text: str) -> None:
    assert not is_colour(text)
