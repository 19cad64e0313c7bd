"""The pages whose commands belong into a checkout do what they say; a file of its own, since they take longest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from docs.repository import copy_repository, wants_repository
from docs.sessions import run_page
from docs.stands import stand_for
from docs.tried import PAGES_TO_RUN, blocks_to_try


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl: the pages' commands need it")
@pytest.mark.parametrize("page", [each for each in PAGES_TO_RUN if wants_repository(blocks_to_try(each))])
async def test_the_commands_of_a_page_do_what_it_says(page: str, tmp_path: Path) -> None:
    blocks = blocks_to_try(page)
    async with stand_for(page, blocks, tmp_path) as stand:
        await run_page(blocks, stand, tmp_path)


def test_a_copy_of_the_repository_needs_no_setup_and_has_an_environment_of_its_own(tmp_path: Path) -> None:
    copy_repository(tmp_path / "copy")
    assert subprocess.run(["make", "--question", "setup"], cwd=tmp_path / "copy").returncode == 0
    environment = tmp_path / "copy" / ".venv" / "bin"
    assert not environment.is_symlink()
    assert not environment.parent.is_symlink()
