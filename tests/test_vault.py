"""Secrets at rest."""

import os
from base64 import b64encode
from pathlib import Path
from stat import S_ISREG

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.vault import Vault, decode_master_key, keep_master_key

MASTER_KEY = bytes(range(32))


@given(st.binary(), st.integers(0, 2**53))
def test_a_sealed_secret_opens_for_its_account(secret: bytes, account_id: int) -> None:
    vault = Vault(MASTER_KEY)
    sealed = vault.seal(account_id, secret)
    assert vault.open(account_id, sealed) == secret
    assert Vault(MASTER_KEY).open(account_id, sealed) == secret


def test_a_sealed_secret_does_not_show_the_secret_and_never_looks_the_same() -> None:
    vault = Vault(MASTER_KEY)
    first, second = vault.seal(1, b"a signing key of ours"), vault.seal(1, b"a signing key of ours")
    assert b"signing" not in first
    assert first != second


def test_a_secret_copied_to_another_account_does_not_open() -> None:
    vault = Vault(MASTER_KEY)
    with pytest.raises(ValueError, match="another master key"):
        vault.open(2, vault.seal(1, b"secret"))


def test_a_secret_sealed_with_another_master_key_does_not_open() -> None:
    with pytest.raises(ValueError, match="another master key"):
        Vault(bytes(32)).open(1, Vault(MASTER_KEY).seal(1, b"secret"))


@pytest.mark.parametrize("position", [1, 13, -1])
def test_a_changed_byte_does_not_open(position: int) -> None:
    sealed = bytearray(Vault(MASTER_KEY).seal(1, b"secret"))
    sealed[position] ^= 1
    with pytest.raises(ValueError, match="another master key"):
        Vault(MASTER_KEY).open(1, bytes(sealed))


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32"):
        Vault(bytes(size))
    with pytest.raises(ValueError, match="32"):
        decode_master_key(b64encode(bytes(size)).decode())


@pytest.mark.parametrize("text", ["", "not base64", "====", "é"])
def test_what_is_no_master_key_is_refused_with_the_cure(text: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32"):
        decode_master_key(text)


def test_a_master_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    key = keep_master_key(path)
    assert len(key) == 32
    assert keep_master_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_master_key_is_on_disk_before_anything_is_sealed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, int]] = []

    def note(file: int) -> None:
        status = os.fstat(file)
        synced.append((status.st_ino, status.st_size if S_ISREG(status.st_mode) else 0))

    monkeypatch.setattr(os, "fsync", note)
    path = tmp_path / "hookwright.key"
    keep_master_key(path)
    assert synced == [(path.stat().st_ino, path.stat().st_size), (tmp_path.stat().st_ino, 0)]


def test_a_master_key_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text(b64encode(MASTER_KEY).decode() + "\n")
    assert keep_master_key(path) == MASTER_KEY
