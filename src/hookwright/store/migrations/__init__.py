"""The schema's history: numbered SQL files for each database, applied forward only."""

from collections.abc import Collection
from importlib.resources import files
from typing import NamedTuple

from hookwright.store.base import SchemaState


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


def schema_state(database: str, applied: Collection[int]) -> SchemaState:
    """How a database that has these migrations compares with this version."""
    known = migrations_for(database)
    missing = tuple(migration.name for migration in known if migration.version not in applied)
    unknown = tuple(sorted(set(applied) - {migration.version for migration in known}))
    return SchemaState(missing, unknown, is_new=not applied)
