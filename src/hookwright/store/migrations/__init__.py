"""The schema's history: numbered SQL files for each database, applied forward only."""

from importlib.resources import files
from typing import NamedTuple


class Migration(NamedTuple):
    """One step of the schema."""

    version: int
    name: str
    text: str


def migrations_for(database: str) -> list[Migration]:
    """All migrations of a database ("sqlite", "postgres"), in order."""
    folder = files(__name__).joinpath(database)
    found = [
        Migration(int(file.name.split("_")[0]), file.name, file.read_text())
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    ]
    return sorted(found)
