"""Which database a command works on, and whose account: as named, else those of a `hookwright dev` that runs here."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hookwright.cli.dev_servers import DevServer, SeveralRun, running_server
from hookwright.cli.running import fail, note
from hookwright.config import Settings, load_settings
from hookwright.operations.services import Services

UNNAMED = Settings().database_url


class FoundDatabase(NamedTuple):
    """A database by its settings, and the `hookwright dev` whose it is, if none was named and one runs."""

    settings: Settings
    dev: DevServer | None
    is_named: bool = False


def database_to_use(named: str | None, config: str | None) -> FoundDatabase:
    """The one that is named, by the option or the settings; else that of the `hookwright dev` that runs here.

    Without either it is the file that `hookwright serve` has in this folder. Raises ConfigError, SeveralRun.
    """
    settings = load_settings(config_file=config, database_url=named)
    if named is not None or settings.database_url != UNNAMED:
        return FoundDatabase(settings, None, is_named=True)
    dev = running_server()
    if dev is None:
        return FoundDatabase(settings, None)
    own = settings.sqlite_path()
    home = load_settings(database_url=dev.database_url).sqlite_path()
    if home is None or not home.exists():
        raise SeveralRun(f"{dev.url} keeps its database where it cannot be seen from here: give --database")
    if own is not None and own.exists() and not own.samefile(home):
        note(f"on the `hookwright dev` at {dev.url}; to use the {own} of this folder instead, give --database {own}")
    return FoundDatabase(settings.at_home_in(Path(home).parent), dev)


def require_database(database: FoundDatabase) -> None:
    """Refuse to make a new one for a command that is about what is in it."""
    path = database.settings.sqlite_path()
    if path is None or path.exists():
        return
    if database.is_named:
        fail(f"there is no database {path}: `hookwright accounts create` begins one, or give another --database")
    fail("there is no server or database here: start `hookwright dev`, or give --database")


async def account_to_use(services: Services, database: FoundDatabase, named: int | None, way_to_name: str) -> int:
    """The account that is named, that of the `hookwright dev`, or the only one of the database."""
    if named is not None:
        return named
    if database.dev is not None:
        return database.dev.account_id
    accounts = await services.store.accounts(limit=2)
    if not accounts:
        fail("there is no account yet: hookwright accounts create NAME")
    if len(accounts) > 1:
        fail(f"there are several accounts: give {way_to_name} (hookwright accounts list shows them)")
    return accounts[0].id
