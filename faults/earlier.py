"""The version before this one, from the project's own history: what stands beside us while a database is migrated."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

from faults.case import Skipped

ROOT = Path(__file__).parent.parent
MIGRATIONS = "src/hookwright/store/migrations/postgres"


def unpack_earlier(folder: Path) -> Path:
    """The `src` folder of the last state of this line of history that lacks our newest migrations.

    Raises Skipped where there is no history, as in a package or a shallow clone.
    """
    commit = _last_without(_here())
    archive = _git("archive", "--format=tar", commit, "src")
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")
    return folder / "src"


def _here() -> set[str]:
    return {path.name for path in (ROOT / MIGRATIONS).glob("*.sql")}


def _last_without(migrations: set[str]) -> str:
    """First parents only: what was merged from elsewhere never stood alone on this line."""
    for commit in _git("rev-list", "--first-parent", "HEAD", "--", MIGRATIONS).decode().split():
        before = f"{commit}^"
        earlier = {
            Path(name).name for name in _git("ls-tree", "--name-only", before, f"{MIGRATIONS}/").decode().split()
        }
        if earlier and earlier < migrations:
            return before
    raise Skipped("the history holds no version before the newest migration")


def _git(*arguments: str) -> bytes:
    try:
        return subprocess.run(["git", "-C", ROOT, *arguments], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Skipped(f"no history of the project to take the version before from ({error})") from None
