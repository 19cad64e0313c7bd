"""The setting `traces`: off it costs nothing, on it needs the extra, and says so."""

import sys
from pathlib import Path

import pytest

from hookwright.app import Hookwright
from hookwright.config import ConfigError, Settings
from hookwright.core.traceparent import known_traceparent

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


async def place_kept(settings: Settings) -> str | None:
    """The traceparent that would be kept with an event of an unsampled trace."""
    hookwright = await Hookwright.open(settings)
    try:
        with hookwright.services.traces.publishing(TRACEPARENT, 1) as traceparent:
            return traceparent
    finally:
        await hookwright.drain()
        await hookwright.close()


async def test_off_the_producers_place_is_kept(tmp_path: Path) -> None:
    assert await place_kept(Settings(database_url=str(tmp_path / "db"))) == TRACEPARENT


async def test_on_the_publish_has_a_place_of_its_own(tmp_path: Path) -> None:
    kept = await place_kept(Settings(database_url=str(tmp_path / "db"), traces=True))
    assert kept is not None
    assert known_traceparent(kept) == kept
    assert kept[:36] == TRACEPARENT[:36]
    assert kept != TRACEPARENT


async def test_without_the_extra_it_is_refused_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "hookwright.telemetry.spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    with pytest.raises(ConfigError, match=r"install hookwright\[otel\]"):
        await Hookwright.open(Settings(database_url=str(tmp_path / "db"), traces=True))
