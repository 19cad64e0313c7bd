"""Secrets at rest: AES-256-GCM, bound to the account they belong to."""

import os
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_VERSION = b"\x01"


class Vault:
    """Seals and opens signing secrets with one master key of 32 bytes.

    A sealed secret is bound to its account: copied into another account's row, it does not open.
    """

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key must be 32 bytes")
        self._cipher = AESGCM(master_key)

    def seal(self, account_id: int, secret: bytes) -> bytes:
        """The secret, encrypted: version byte, nonce, ciphertext with tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._cipher.encrypt(nonce, secret, _bound_to(account_id))

    def open(self, account_id: int, sealed: bytes) -> bytes:
        """The secret again. Raises ValueError when the key or the account is not the one that sealed it."""
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, _bound_to(account_id))
        except InvalidTag:
            raise ValueError("sealed with another master key: check HOOKWRIGHT_MASTER_KEY") from None


def decode_master_key(text: str) -> bytes:
    """The 32 bytes of a master key in base64. Raises ValueError when it is not one."""
    try:
        key = b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("a master key is 32 random bytes in base64: openssl rand -base64 32")
    return key


def keep_master_key(path: Path) -> bytes:
    """The master key kept in a file that only its owner may read; made when there is none yet."""
    if not path.exists():
        _make_master_key(path)
    return decode_master_key(path.read_text())


def _make_master_key(path: Path) -> None:
    # Written aside and then linked into place: of two processes that start at once, one key wins, and neither
    # ever reads half of it.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w") as stream:
        stream.write(b64encode(os.urandom(32)).decode() + "\n")
        # On disk before anything is sealed with it: a power cut may leave a name without its content.
        stream.flush()
        os.fsync(file)
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
    _sync_names(path.parent)


def _sync_names(folder: Path) -> None:
    """Put a folder's names on disk. Does nothing where a folder cannot be opened (Windows)."""
    with suppress(PermissionError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _bound_to(account_id: int) -> bytes:
    return b"account:%d" % account_id
