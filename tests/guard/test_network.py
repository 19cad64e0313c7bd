"""No connection to a refused address, whatever the URL, the name server or the occasion: 0 hits on the tripwire.

This takes a network in which every address of the Internet is ours, so that dialling one does no harm and is noticed;
`guard.inside` makes it and works in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from guard.corpus import CORPUS, Entry
from hookwright.core.addresses import parse_target

TESTS = Path(__file__).parent.parent
PATIENCE_SECONDS = 300
PUBLIC = "93.184.215.14"
REFUSED = ("address_not_allowed", "address not allowed", None)
STEP_US = 250_000
# As root, or as a user who may become root of a namespace.
NAMESPACES = (
    ("unshare", "--net", "--mount"),
    ("unshare", "--map-root-user", "--net", "--mount"),
)
# Everything that guard.network needs and a machine may lack: IPv6, or the right to mount.
TRIAL = "ip link set lo up && ip -6 route add local ::/0 dev lo src ::1 && mount --bind /etc/hosts /etc/hosts"


class Attempt(NamedTuple):
    error: str | None
    detail: str | None
    status_code: int | None
    duration_us: int


class Report(NamedTuple):
    """What was dialled, and the attempts of the two deliveries to each URL: the event's and the sample's."""

    dialled: set[str]
    attempts: dict[str, list[list[Attempt]]]
    exit_code: int
    faults: list[str]
    log: str

    def of(self, entry: Entry) -> list[Attempt]:
        return [attempt for delivery in self.attempts[entry.url] for attempt in delivery]


def entries(*verdicts: str) -> list[Entry]:
    return [entry for entry in CORPUS if entry.verdict in verdicts]


def new_namespace() -> tuple[str, ...]:
    """The command that makes network and mount namespaces here. Skips the test where there is none."""
    problems = []
    for command in NAMESPACES:
        try:
            trial = subprocess.run([*command, "sh", "-c", TRIAL], capture_output=True, text=True, check=False)
        except FileNotFoundError as missing:
            pytest.skip(f"needs {missing.filename} (Debian: apt install util-linux iproute2)")
        if trial.returncode == 0:
            return command
        problems.append(trial.stderr.strip())
    pytest.skip(f"needs network namespaces, which this machine does not let us make: {'; '.join(problems)}")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("guard")
    path = os.pathsep.join([str(TESTS), str(TESTS.parent / "src")])
    run = subprocess.run(
        [*new_namespace(), sys.executable, "-m", "guard.inside", str(folder)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return parsed(json.loads((folder / "report.json").read_text()))


def parsed(told: dict[str, Any]) -> Report:
    return Report(
        dialled={address for address, *_ in told["dialled"]},
        attempts={
            each["url"]: [[Attempt(*attempt) for attempt in delivery] for delivery in each["deliveries"]]
            for each in told["attempts"]
        },
        exit_code=told["exit_code"],
        faults=told["faults"],
        log="".join(told["log"]),
    )


def test_no_address_was_dialled_but_those_that_are_allowed(report: Report) -> None:
    allowed = {PUBLIC}
    for entry in entries("allowed"):
        target = parse_target(entry.url)
        allowed.update([target.host] if target.is_address else [each for some in entry.answers for each in some])
    for entry in entries("rebinds"):
        allowed.update(each for some in entry.answers for each in some if each.startswith(("93.184.", "2606:2800:")))
    assert {plain(address) for address in report.dialled} <= {plain(address) for address in allowed}


def test_every_allowed_url_was_delivered_to_once_replayed_once_and_sampled_once(report: Report) -> None:
    for entry in entries("allowed"):
        codes = [[attempt.status_code for attempt in delivery] for delivery in report.attempts[entry.url]]
        assert sorted(codes) == [[200], [200, 200]], (str(entry), report.attempts[entry.url])


def test_every_refused_url_failed_at_each_attempt_retry_replay_and_sample_in_the_same_words(report: Report) -> None:
    sampled = [entry for entry in entries("refused") if len(report.attempts.get(entry.url, [])) == 2]
    assert len(sampled) >= 80
    kept = [entry for entry in entries("refused", "refused when dialled") if entry.url in report.attempts]
    assert len(kept) >= 400
    for entry in kept:
        # Twice the event, twice its replay; of those that were sampled, twice the sample.
        assert sorted(len(delivery) for delivery in report.attempts[entry.url]) in ([4], [2, 4]), str(entry)
        assert {attempt[:3] for attempt in report.of(entry)} == {REFUSED}, str(entry)


def test_every_refusal_took_whole_steps_whether_a_name_was_resolved_or_not(report: Report) -> None:
    for entry in entries("refused", "refused when dialled"):
        for attempt in report.attempts.get(entry.url, []):
            assert {each.duration_us % STEP_US for each in attempt} == {0}, str(entry)


def test_a_name_that_changes_its_mind_was_reached_at_its_public_address_or_not_at_all(report: Report) -> None:
    outcomes = [attempt[:3] for entry in entries("rebinds") for attempt in report.of(entry)]
    assert set(outcomes) == {REFUSED, (None, None, 200)}


def test_a_redirect_to_the_metadata_service_was_not_followed(report: Report) -> None:
    [entry] = entries("redirects")
    assert {attempt.status_code for attempt in report.of(entry)} == {307}


def test_a_name_without_an_address_was_no_refusal(report: Report) -> None:
    for entry in entries("unresolved"):
        assert {attempt.error for attempt in report.of(entry)} == {"dns_failed"}


def test_the_server_took_all_of_it_calmly(report: Report) -> None:
    assert report.exit_code == 0
    assert report.faults == []
    assert "Traceback" not in report.log


def plain(address: str) -> str:
    """One spelling for each address, mapped ones as IPv4."""
    parsed = ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)
