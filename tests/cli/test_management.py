"""accounts, sites, keys, apps and migrate, in this process."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from cli.conftest import MASTER_KEY, CommandLine
from hookwright import __version__
from hookwright.core.signing import decode_secret
from hookwright.operations.services import Services
from hookwright.store.base import AuditQuery

# -- each command, on each database ------------------------------------------------------------------------------


def test_an_account_is_created_listed_shown_and_deleted(command_line: CommandLine) -> None:
    made = command_line.json("accounts", "create", "Ada's courses")
    assert decode_secret(made["signing_secret"])
    shown = command_line.json("accounts", "show", str(made["id"]), "--secrets")
    assert shown["signing_secrets"] == [made["signing_secret"]]
    assert [account["name"] for account in command_line.json("accounts", "list")] == ["Ada's courses"]
    other = str(command_line.json("accounts", "create", "Grace")["id"])
    assert command_line.json("accounts", "delete", other, "--yes") == {"id": int(other), "deleted": True}
    assert command_line.text("accounts", "delete", str(made["id"]), "--yes") == f"account {made['id']} is deleted\n"
    assert command_line.json("accounts", "list") == []


def test_a_rotated_signing_secret_signs_beside_the_old_one(command_line: CommandLine) -> None:
    made = command_line.json("accounts", "create", "Ada")
    rotated = command_line.json("accounts", "rotate-secret", str(made["id"]))
    shown = command_line.json("accounts", "show", str(made["id"]), "--secrets")
    assert shown["signing_secrets"] == [rotated["signing_secret"], made["signing_secret"]]


def test_a_site_is_created_listed_and_deleted(command_line: CommandLine) -> None:
    account = account_id(command_line)
    site = command_line.json("sites", "create", account, "Ada's site", "--subdomain", "ada")
    assert (site["account"], site["title"], site["subdomain"]) == (int(account), "Ada's site", "ada")
    assert command_line.json("sites", "list", account) == [site]
    command_line.text("sites", "delete", account, str(site["id"]), "--yes")
    assert command_line.json("sites", "list", account) == []


def test_a_key_is_created_listed_rotated_and_deleted(command_line: CommandLine) -> None:
    account = account_id(command_line)
    key = command_line.json("keys", "create", "--kind", "kit", "--account", account, "--name", "Zap")
    rotated = command_line.json("keys", "rotate", str(key["id"]))
    assert rotated["secret"] != key["secret"]
    [listed] = command_line.json("keys", "list", "--account", account)
    assert (listed["id"], listed["kind"], "secret" in listed) == (key["id"], "kit", False)
    command_line.text("keys", "delete", str(key["id"]), "--yes")
    assert command_line.json("keys", "list") == []


def test_an_app_is_created_listed_and_deleted(command_line: CommandLine) -> None:
    uri = "https://app.example.com/callback"
    made = command_line.json("apps", "create", "Newsletters", "--redirect-uri", uri)
    assert made["client_id"].startswith("kitapp_")
    assert made["client_secret"].startswith("kitappsec_")
    [listed] = command_line.json("apps", "list")
    assert (listed["client_id"], listed["redirect_uris"]) == (made["client_id"], [uri])
    command_line.text("apps", "delete", str(made["id"]), "--yes")
    assert command_line.json("apps", "list") == []


def test_a_replay_is_counted_begun_shown_and_cancelled(command_line: CommandLine) -> None:
    account = account_id(command_line)
    filters = ("--status", "dead", "--status", "cancelled", "--created-from", "2026-01-31", "--rate", "5")
    counted = command_line.json("replays", "create", account, *filters, "--dry-run")
    assert counted == {"dry_run": True, "deliveries": 0}
    begun = command_line.json("replays", "create", account, *filters)
    assert (begun["statuses"], begun["created_from"]) == (["dead", "cancelled"], "2026-01-31T00:00:00.000000Z")
    assert (begun["rate_per_second"], begun["status"], begun["total"]) == (5, "running", 0)
    assert command_line.json("replays", "show", account, str(begun["id"])) == begun
    assert command_line.json("replays", "list", account) == [begun]
    cancelled = command_line.json("replays", "cancel", account, str(begun["id"]))
    assert cancelled == {**begun, "status": "cancelled", "finished_at": cancelled["finished_at"]}
    assert "--status: must be" in command_line.refusal("replays", "create", account, "--status", "asleep")
    assert "does not exist" in command_line.refusal("replays", "show", account, "64")
    assert "does not exist" in command_line.refusal("replays", "create", str(int(account) + 64))


def test_migrating_twice_is_the_same_as_once(command_line: CommandLine) -> None:
    assert command_line.text("migrate") == "the schema is up to date\n"
    assert command_line.text("migrate") == "the schema is up to date\n"


@pytest.mark.parametrize(
    ("change", "cure"),
    [
        ("DELETE FROM schema_migrations WHERE version > 15", "`hookwright migrate`"),
        ("INSERT INTO schema_migrations VALUES (9999, 0)", "newer version"),
    ],
)
def test_a_command_leaves_the_schema_of_another_version_as_it_is(
    sqlite: CommandLine, tmp_path: Path, change: str, cure: str
) -> None:
    def versions() -> list[tuple[int]]:
        with closing(sqlite3.connect(tmp_path / "hookwright.sqlite3")) as db:
            return db.execute("SELECT version FROM schema_migrations ORDER BY version").fetchall()

    with closing(sqlite3.connect(tmp_path / "hookwright.sqlite3")) as db, db:
        db.execute(change)
    before = versions()
    for words in (("accounts", "list"), ("accounts", "create", "Ada"), ("secrets", "status")):
        assert cure in sqlite.refusal(*words)
    assert versions() == before


# -- what is printed ---------------------------------------------------------------------------------------------


def test_the_version_is_printed(sqlite: CommandLine) -> None:
    assert sqlite.text("--version") == f"hookwright {__version__}\n"


def test_people_get_tables_with_whole_values(sqlite: CommandLine) -> None:
    sqlite.text("accounts", "create", "A" * 150)
    head, row = sqlite.text("accounts", "list").splitlines()
    assert head.split() == ["ID", "NAME", "CREATED_AT"]
    assert "A" * 150 in row


def test_a_control_character_in_a_name_does_not_reach_the_terminal(sqlite: CommandLine) -> None:
    sqlite.text("accounts", "create", "\x1b[31mred")
    assert "\x1b" not in sqlite.text("accounts", "list")


def test_a_kajabi_key_prints_its_client_credentials_and_has_the_owners_scope(sqlite: CommandLine) -> None:
    account = account_id(sqlite)
    printed = sqlite.text("keys", "create", "--kind", "kajabi", "--account", account, "--name", "K")
    assert re.search(r"^scopes +owner$", printed, re.MULTILINE)
    assert re.search(r"^client_id +kj_\w+$", printed, re.MULTILINE)
    assert re.search(r"^client_secret +kjsec_\w+$", printed, re.MULTILINE)


def test_scopes_may_be_repeated(sqlite: CommandLine) -> None:
    key = sqlite.json(
        "keys", "create", "--kind", "hookwright", "--name", "P", "--scope", "publish", "--scope", "read"
    )
    assert (key["scopes"], key["account"]) == (["publish", "read"], None)


def test_a_public_app_has_no_secret(sqlite: CommandLine) -> None:
    made = sqlite.json("apps", "create", "Mobile", "--public", "--redirect-uri", "http://127.0.0.1:9/callback")
    assert (made["public"], made["client_secret"]) == (True, None)


# -- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["accounts", "create", " "], "name: can't be blank"),
        (["accounts", "show", "64"], "account 64 does not exist"),
        (["accounts", "delete", "64", "--yes"], "account 64 does not exist"),
        (["accounts", "rotate-secret", "64"], "account 64 does not exist"),
        (["sites", "create", "64", "Site"], "account 64 does not exist"),
        (["sites", "list", "64"], "account 64 does not exist"),
        (["sites", "delete", "64", "128", "--yes"], "account 64 has no site 128"),
        (["keys", "create", "--kind", "kit", "--name", "K"], "--account: is required for a kit key"),
        (["keys", "create", "--kind", "hookwright", "--name", "K", "--scope", "all"], "unknown scope all"),
        (["replays", "list", "64"], "account 64 does not exist"),
        (["keys", "rotate", "64"], "key 64 does not exist"),
        (["keys", "delete", "64", "--yes"], "key 64 does not exist"),
        (["apps", "create", "A", "--redirect-uri", "http://example.com/"], "must be https"),
        (["apps", "delete", "64", "--yes"], "app 64 does not exist"),
        (["accounts", "list", "--database", "mysql://localhost/x"], "HOOKWRIGHT_DATABASE_URL"),
        (["accounts", "list", "--database", "/dev/null/x.sqlite3"], "HOOKWRIGHT_DATABASE_URL"),
        (["accounts", "list", "--config", "/nowhere.toml"], "/nowhere.toml"),
    ],
)
def test_a_refusal_is_one_line_on_standard_error(sqlite: CommandLine, arguments: list[str], reason: str) -> None:
    assert reason in sqlite.refusal(*arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        ["accounts", "show", "0"],
        ["accounts", "show", str(2**53)],
        ["accounts", "show", "Ada"],
        ["keys", "create", "--kind", "drip", "--name", "K"],
        ["keys", "create", "--kind", "kit", "--name", "K", "--scope", "read"],
        ["keys", "create", "--kind", "hookwright", "--name", "K"],
        ["apps", "create", "A"],
        ["nonsense"],
    ],
)
def test_wrong_usage_ends_with_exit_code_2(sqlite: CommandLine, arguments: list[str]) -> None:
    assert sqlite.run(*arguments).exit_code == 2


@pytest.mark.parametrize("what", [["accounts", "delete", "64"], ["keys", "delete", "64"], ["apps", "delete", "64"]])
def test_without_a_terminal_nothing_is_deleted_unless_yes_is_given(sqlite: CommandLine, what: list[str]) -> None:
    assert "give --yes" in sqlite.refusal(*what, exit_code=2)


def test_a_database_that_does_not_answer_is_one_line(sqlite: CommandLine) -> None:
    environ = {"HOOKWRIGHT_MASTER_KEY": MASTER_KEY}
    nobody_listens = "postgresql://nobody@127.0.0.1:1/x"
    assert "PostgreSQL" in sqlite.refusal(
        "accounts", "list", "--database", nobody_listens, environ=environ, exit_code=3
    )


def test_postgresql_without_a_master_key_is_one_line(sqlite: CommandLine) -> None:
    assert "HOOKWRIGHT_MASTER_KEY" in sqlite.refusal(
        "accounts", "list", "--database", "postgresql://nobody@127.0.0.1/x"
    )


@pytest.mark.parametrize("command", [["accounts", "list"], ["serve"], ["secrets", "status"]])
def test_the_wrong_master_key_is_refused_before_anything_is_done(sqlite: CommandLine, command: list[str]) -> None:
    account_id(sqlite)
    environ = {"HOOKWRIGHT_MASTER_KEY": MASTER_KEY, "HOOKWRIGHT_PORT": "0"}
    refusal = sqlite.refusal(*command, environ=environ)
    assert "HOOKWRIGHT_MASTER_KEY" in refusal
    assert "1 with the master key" in refusal
    assert MASTER_KEY not in refusal


@pytest.mark.parametrize(
    ("content", "reason"), [("not a key", "openssl rand -base64 32"), ("\udcff", "no text"), (None, "No such file")]
)
def test_a_master_key_file_that_cannot_be_used_is_named(
    sqlite: CommandLine, tmp_path: Path, content: str | None, reason: str
) -> None:
    path = tmp_path / "master.keys"
    if content is not None:
        path.write_text(content, errors="surrogateescape")
    refusal = sqlite.refusal("accounts", "list", environ={"HOOKWRIGHT_MASTER_KEY_FILE": str(path)})
    assert "HOOKWRIGHT_MASTER_KEY_FILE" in refusal
    assert reason in refusal


# -- where settings come from ------------------------------------------------------------------------------------


def test_the_option_wins_over_the_variable(sqlite: CommandLine, tmp_path: Path) -> None:
    account_id(sqlite)
    other = tmp_path / "folder" / "other.sqlite3"
    assert sqlite.json("accounts", "list", "--database", str(other)) == []
    assert other.exists()


def test_a_settings_file_may_name_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "production.toml").write_text('database_url = "sqlite:named.sqlite3"\n')
    assert CommandLine({}).json("accounts", "list", "--config", "production.toml") == []
    assert (tmp_path / "named.sqlite3").exists()


def test_no_error_prints_the_databases_password(sqlite: CommandLine) -> None:
    url = "postgresql://ada:hunter2@127.0.0.1:1/x"
    assert urlsplit(url).password == "hunter2"
    environ = {"HOOKWRIGHT_MASTER_KEY": MASTER_KEY}
    printed = sqlite.refusal("accounts", "list", "--database", url, environ=environ, exit_code=3)
    assert "hunter2" not in printed


def account_id(command_line: CommandLine) -> str:
    return str(command_line.json("accounts", "create", "Ada")["id"])


def test_a_portal_link_is_printed_with_where_the_server_is(command_line: CommandLine) -> None:
    account = account_id(command_line)
    command_line.set("HOOKWRIGHT_PUBLIC_URL", "https://hooks.example.com")
    made = command_line.json("portal-link", account, "--minutes", "5", "--name", "Ada & Co", "--accent", "#2b50cc")
    assert made["url"].startswith("https://hooks.example.com/portal/enter?token=hwportal_")
    assert "logo: must be" in command_line.refusal("portal-link", account, "--logo", "ftp://example.com/")
    assert "does not exist" in command_line.refusal("portal-link", "640000")


def test_what_the_command_line_changes_is_noted_as_its_doing(command_line: CommandLine) -> None:
    account = account_id(command_line)
    site = command_line.json("sites", "create", account, "Ada's site")
    command_line.text("sites", "delete", account, str(site["id"]), "--yes")
    command_line.text("accounts", "delete", account, "--yes")
    noted: list[tuple[str, str]] = []

    async def read(services: Services) -> None:
        noted.extend((entry.action, entry.way) for entry in await services.store.audit_entries(AuditQuery()))

    command_line.act(read)
    deeds = ("account.deleted", "site.deleted", "site.created", "account.created")
    assert noted == [(deed, "cli") for deed in deeds]
