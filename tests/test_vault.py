"""Secrets at rest."""

import os
from base64 import b64encode
from pathlib import Path
from stat import S_ISREG

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookwright.core.model import Binding, SealedKind
from hookwright.store.sealed_steps import HEAD_BYTES as HEAD_BYTES_IN_SQL
from hookwright.vault import HEAD_BYTES, Vault, decode_master_keys, keep_master_keys, key_id_in
from older_secrets import sealed_without_key_id

MASTER_KEY = bytes(range(32))
OTHER_KEY = bytes(32)
SECRET_OF_ENDPOINT = Binding("signing secret", 64, 128)
KINDS: tuple[SealedKind, ...] = ("signing secret", "headers")
BINDINGS = st.builds(
    Binding, st.sampled_from(KINDS), st.integers(0, 2**53), st.one_of(st.none(), st.integers(1, 2**53))
)


def in_base64(*keys: bytes) -> list[str]:
    return [b64encode(key).decode() for key in keys]


@given(st.binary(), BINDINGS)
def test_a_sealed_secret_opens_where_it_belongs(secret: bytes, binding: Binding) -> None:
    vault = Vault(MASTER_KEY)
    sealed = vault.seal(binding, secret)
    assert vault.open(binding, sealed) == secret
    assert Vault(MASTER_KEY).open(binding, sealed) == secret


def test_a_sealed_secret_does_not_show_the_secret_and_never_looks_the_same() -> None:
    vault = Vault(MASTER_KEY)
    first, second = (vault.seal(SECRET_OF_ENDPOINT, b"a signing key of ours") for _ in range(2))
    assert b"signing" not in first
    assert first != second


@pytest.mark.parametrize(
    "elsewhere",
    [
        SECRET_OF_ENDPOINT._replace(account_id=65),
        SECRET_OF_ENDPOINT._replace(endpoint_id=129),
        SECRET_OF_ENDPOINT._replace(endpoint_id=None),
        SECRET_OF_ENDPOINT._replace(what="headers"),
    ],
)
def test_a_secret_copied_to_another_row_does_not_open(elsewhere: Binding) -> None:
    vault = Vault(MASTER_KEY)
    with pytest.raises(ValueError, match="another row"):
        vault.open(elsewhere, vault.seal(SECRET_OF_ENDPOINT, b"secret"))


def test_the_first_key_seals_and_every_key_opens() -> None:
    before, during = Vault(OTHER_KEY), Vault(MASTER_KEY, OTHER_KEY)
    old = before.seal(SECRET_OF_ENDPOINT, b"old")
    new = during.seal(SECRET_OF_ENDPOINT, b"new")
    assert [during.open(SECRET_OF_ENDPOINT, sealed) for sealed in (old, new)] == [b"old", b"new"]
    assert Vault(MASTER_KEY).open(SECRET_OF_ENDPOINT, new) == b"new"
    assert [key_id_in(sealed) for sealed in (new, old)] == list(during.key_ids)


def test_a_secret_sealed_with_a_key_that_is_not_here_names_that_key() -> None:
    there = Vault(MASTER_KEY)
    with pytest.raises(ValueError, match=rf"another master key \({there.key_ids[0]}\).*HOOKWRIGHT_MASTER_KEY"):
        Vault(OTHER_KEY).open(SECRET_OF_ENDPOINT, there.seal(SECRET_OF_ENDPOINT, b"secret"))


def test_a_key_id_tells_nothing_of_the_key_and_is_the_same_everywhere() -> None:
    assert Vault(MASTER_KEY).key_ids == Vault(MASTER_KEY).key_ids != Vault(OTHER_KEY).key_ids
    assert MASTER_KEY.hex()[:8] not in Vault(MASTER_KEY).key_ids[0]


def test_what_was_sealed_before_there_were_key_ids_opens_with_any_key_for_its_account() -> None:
    sealed = sealed_without_key_id(OTHER_KEY, 64, b"secret")
    assert Vault(MASTER_KEY, OTHER_KEY).open(SECRET_OF_ENDPOINT, sealed) == b"secret"
    assert key_id_in(sealed) is None
    with pytest.raises(ValueError, match="another master key"):
        Vault(OTHER_KEY).open(SECRET_OF_ENDPOINT._replace(account_id=65), sealed)
    with pytest.raises(ValueError, match="another master key"):
        Vault(MASTER_KEY).open(SECRET_OF_ENDPOINT, sealed)


@pytest.mark.parametrize("position", range(60))
def test_a_changed_byte_does_not_open(position: int) -> None:
    vault = Vault(MASTER_KEY)
    sealed = bytearray(vault.seal(SECRET_OF_ENDPOINT, bytes(32)))
    sealed[position % len(sealed)] ^= 3
    with pytest.raises(ValueError, match=r"sealed|damaged"):
        vault.open(SECRET_OF_ENDPOINT, bytes(sealed))


@given(st.binary(max_size=40))
def test_no_value_is_too_strange_to_be_refused(sealed: bytes) -> None:
    with pytest.raises(ValueError, match="sealed"):
        Vault(MASTER_KEY).open(SECRET_OF_ENDPOINT, sealed)


def test_the_head_of_a_sealed_value_is_what_the_store_reads() -> None:
    vault = Vault(MASTER_KEY)
    assert vault.seal(SECRET_OF_ENDPOINT, b"secret")[:HEAD_BYTES] == vault.head
    assert HEAD_BYTES_IN_SQL == HEAD_BYTES == len(vault.head)


# -- master keys as they are configured --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_master_key_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32"):
        Vault(bytes(size))
    with pytest.raises(ValueError, match="32"):
        decode_master_keys(b64encode(bytes(size)).decode())


@pytest.mark.parametrize("separator", [",", ", ", "\n", " "])
def test_several_master_keys_keep_their_order(separator: str) -> None:
    assert decode_master_keys(separator.join(in_base64(MASTER_KEY, OTHER_KEY)) + "\n") == [MASTER_KEY, OTHER_KEY]


def test_the_same_master_key_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        decode_master_keys(",".join(in_base64(MASTER_KEY, OTHER_KEY, MASTER_KEY)))


@pytest.mark.parametrize("text", ["", ",", "not base64", "====", "é", "c2VjcmV0LXRoYXQtaXMtc2hvcnQ="])
def test_what_is_no_master_key_is_refused_with_the_cure_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="openssl rand -base64 32") as refused:
        decode_master_keys(text)
    assert "c2VjcmV0" not in str(refused.value)


def test_a_master_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    [key] = keep_master_keys(path)
    assert len(key) == 32
    assert keep_master_keys(path) == [key]
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
    keep_master_keys(path)
    assert synced == [(path.stat().st_ino, path.stat().st_size), (tmp_path.stat().st_ino, 0)]


def test_a_master_key_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("\n".join(in_base64(MASTER_KEY, OTHER_KEY)) + "\n")
    assert keep_master_keys(path) == [MASTER_KEY, OTHER_KEY]
