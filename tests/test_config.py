"""Settings: the file, the environment, the command line, and what is refused in one line."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

import pytest

from hookwright.config import ConfigError, Settings, load_settings
from hookwright.core.addresses import TargetPolicy
from hookwright.core.retry import STANDARD_SCHEDULE


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_anything_it_is_sqlite_on_loopback() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.sqlite_path() == Path("hookwright.sqlite3")
    assert (settings.host, settings.retry_schedule) == ("127.0.0.1", STANDARD_SCHEDULE)


def test_variables_win_over_the_file_and_the_command_line_over_both(empty_folder: Path) -> None:
    (empty_folder / "hookwright.toml").write_text('port = 1\nhost = "a"\nconcurrency = 7\n')
    settings = load_settings({"HOOKWRIGHT_PORT": "2", "HOOKWRIGHT_HOST": "b"}, port=3, host=None)
    assert (settings.port, settings.host, settings.concurrency) == (3, "b", 7)


def test_a_schedule_in_a_variable_is_separated_by_commas() -> None:
    assert load_settings({"HOOKWRIGHT_RETRY_SCHEDULE": "0, 5,60"}).retry_schedule == (0, 5, 60)


@pytest.mark.parametrize("url", ["postgres://a/b", "postgresql://u:p@h/d"])
def test_a_postgresql_url_is_no_file(url: str) -> None:
    assert load_settings({"HOOKWRIGHT_DATABASE_URL": url}).sqlite_path() is None


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"HOOKWRIGHT_PORT": "eighty"}, "HOOKWRIGHT_PORT"),
        ({"HOOKWRIGHT_LOG_LEVEL": "loud"}, "HOOKWRIGHT_LOG_LEVEL"),
        ({"HOOKWRIGHT_RETRY_SCHEDULE": "0,-1"}, "HOOKWRIGHT_RETRY_SCHEDULE"),
        ({"HOOKWRIGHT_CONCURRENCY": "0"}, "HOOKWRIGHT_CONCURRENCY"),
        ({"HOOKWRIGHT_PORT": "65536"}, "HOOKWRIGHT_PORT"),
        ({"HOOKWRIGHT_TIMEOUT_SECONDS": "0"}, "HOOKWRIGHT_TIMEOUT_SECONDS"),
        ({"HOOKWRIGHT_TIMEOUT_SECONDS": "60.1"}, "HOOKWRIGHT_TIMEOUT_SECONDS"),
        ({"HOOKWRIGHT_DRAIN_SECONDS": "-1"}, "HOOKWRIGHT_DRAIN_SECONDS"),
        ({"HOOKWRIGHT_PAYLOAD_RETENTION_DAYS": "-1"}, "HOOKWRIGHT_PAYLOAD_RETENTION_DAYS"),
        ({"HOOKWRIGHT_ACCESS_TOKEN_SECONDS": "0"}, "HOOKWRIGHT_ACCESS_TOKEN_SECONDS"),
        ({"HOOKWRIGHT_ROLE": "boss"}, "HOOKWRIGHT_ROLE"),
        ({"HOOKWRIGHT_PROCESSES": "0"}, "HOOKWRIGHT_PROCESSES"),
        ({"HOOKWRIGHT_PROCESSES": "2"}, "PostgreSQL"),
        ({"HOOKWRIGHT_CONFIG": "/nowhere.toml"}, "/nowhere.toml"),
        ({"HOOKWRIGHT_ALLOWED_TARGET_RANGES": "10.0.0.1/8"}, "HOOKWRIGHT_ALLOWED_TARGET_RANGES.*write 10.0.0.0/8"),
        ({"HOOKWRIGHT_ALLOWED_TARGET_RANGES": "169.254.169.254"}, "HOOKWRIGHT_ALLOWED_TARGET_RANGES.*never"),
        ({"HOOKWRIGHT_DENIED_TARGET_RANGES": "example.com"}, "HOOKWRIGHT_DENIED_TARGET_RANGES.*no range"),
        ({"HOOKWRIGHT_ALLOWED_TARGET_NAMES": "*.corp"}, "HOOKWRIGHT_ALLOWED_TARGET_NAMES.*write corp"),
        ({"HOOKWRIGHT_DENIED_TARGET_NAMES": "10.0.0.1"}, "HOOKWRIGHT_DENIED_TARGET_NAMES.*no name"),
        ({"HOOKWRIGHT_TARGET_PORTS": "443,http"}, "HOOKWRIGHT_TARGET_PORTS.*'http' is no port"),
        ({"HOOKWRIGHT_TARGET_PORTS": ""}, "HOOKWRIGHT_TARGET_PORTS.*at least one"),
        ({"HOOKWRIGHT_NAT64_PREFIXES": "64:ff9b::/95"}, "HOOKWRIGHT_NAT64_PREFIXES.*RFC 6052"),
        ({"HOOKWRIGHT_MASTER_KEY": "a", "HOOKWRIGHT_MASTER_KEY_FILE": "b"}, "HOOKWRIGHT_MASTER_KEY_FILE"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environ: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(environ)


def test_where_deliveries_may_go_is_the_policy_of_targets(empty_folder: Path) -> None:
    (empty_folder / "hookwright.toml").write_text(
        'target_ports = [443, "8000-8999"]\nnat64_prefixes = ["64:ff9b::/96"]\n'
    )
    environ = {
        "HOOKWRIGHT_ALLOWED_TARGET_RANGES": "10.1.0.0/16, fd00:1::/32",
        "HOOKWRIGHT_DENIED_TARGET_RANGES": "8.8.8.8",
        "HOOKWRIGHT_ALLOWED_TARGET_NAMES": "Hooks.corp",
        "HOOKWRIGHT_DENIED_TARGET_NAMES": "evil.example,münchen.example",
    }
    assert load_settings(environ).target_policy() == TargetPolicy(
        allow_private=False,
        allowed_ranges=(IPv4Network("10.1.0.0/16"), IPv6Network("fd00:1::/32")),
        denied_ranges=(IPv4Network("8.8.8.8/32"),),
        allowed_names=("hooks.corp",),
        denied_names=("evil.example", "xn--mnchen-3ya.example"),
        ports=((443, 443), (8000, 8999)),
        nat64_prefixes=(IPv6Network("64:ff9b::/96"),),
    )


def test_without_anything_targets_are_https_on_public_addresses() -> None:
    assert load_settings({}).target_policy() == TargetPolicy()


def test_plain_http_is_allowed_by_itself_without_any_address_more() -> None:
    assert load_settings({"HOOKWRIGHT_ALLOW_HTTP_TARGETS": "true"}).target_policy() == TargetPolicy(allow_http=True)


def test_a_misspelt_setting_in_the_file_is_named(empty_folder: Path) -> None:
    (empty_folder / "hookwright.toml").write_text("prot = 1\n")
    with pytest.raises(ConfigError, match="prot"):
        load_settings({})


def test_several_processes_may_share_a_postgresql() -> None:
    url = "postgresql://u:p@h/d"
    assert load_settings({"HOOKWRIGHT_DATABASE_URL": url, "HOOKWRIGHT_PROCESSES": "4"}).processes == 4


@pytest.mark.parametrize("site", ["https://app.example.com", "https://*.example.com:8443", "http://localhost:3000"])
def test_the_portal_may_be_shown_in_the_pages_of_sites(site: str) -> None:
    settings = load_settings({"HOOKWRIGHT_PORTAL_FRAME_ANCESTORS": f"{site}, https://other.example.com"})
    assert settings.portal_frame_ancestors == (site, "https://other.example.com")


@pytest.mark.parametrize(
    "site", ["*", "http://app.example.com", "https://a.example.com;script-src", "'self'", "https:"]
)
def test_what_is_no_site_may_show_nothing(site: str) -> None:
    with pytest.raises(ConfigError, match="HOOKWRIGHT_PORTAL_FRAME_ANCESTORS"):
        load_settings({"HOOKWRIGHT_PORTAL_FRAME_ANCESTORS": site})


def test_a_public_url_is_an_address() -> None:
    with pytest.raises(ConfigError, match="HOOKWRIGHT_PUBLIC_URL"):
        load_settings({"HOOKWRIGHT_PUBLIC_URL": "hooks.example.com"})
