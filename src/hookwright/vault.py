"""Secrets at rest: AES-256-GCM under one of several master keys, bound to the row that they belong to."""

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hookwright.core.model import Binding

_NONCE_BYTES = 12
_KEY_ID_BYTES = 4
# What was sealed before there were key ids: bound to its account alone. It opens, and `reencrypt` replaces it.
WITHOUT_KEY_ID = b"\x01"
_WITH_KEY_ID = b"\x02"

# How many bytes of a sealed value say what sealed it: its version, and the id of its master key.
HEAD_BYTES = 1 + _KEY_ID_BYTES


class Vault:
    """Seals and opens secrets. The first master key seals; every one of them opens what it sealed.

    A sealed value is bound to what it is, its account and its endpoint: copied into another row, it does not open.
    """

    def __init__(self, first: bytes, *others: bytes) -> None:
        self._ciphers = {key_id_of(key): AESGCM(key) for key in (first, *others)}
        self._first = key_id_of(first)
        self._masters = (first, *others)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of the master keys, that which seals first; they say nothing about the keys."""
        return tuple(key_id.hex() for key_id in self._ciphers)

    @property
    def head(self) -> bytes:
        """How everything begins that is sealed now."""
        return _WITH_KEY_ID + self._first

    def seal(self, binding: Binding, secret: bytes) -> bytes:
        """The secret, encrypted: version byte, key id, nonce, ciphertext with tag."""
        nonce = os.urandom(_NONCE_BYTES)
        return self.head + nonce + self._ciphers[self._first].encrypt(nonce, secret, _bound_to(binding, self.head))

    def open(self, binding: Binding, sealed: bytes) -> bytes:
        """The secret again. Raises ValueError when no key here sealed it, or it was sealed for another row."""
        if sealed[:1] == WITHOUT_KEY_ID:
            return self._open_without_key_id(binding.account_id, sealed)
        cipher = self._ciphers.get(sealed[1:HEAD_BYTES]) if sealed[:1] == _WITH_KEY_ID else None
        if cipher is None:
            raise ValueError(f"sealed with another master key ({describe_head(sealed)}): check HOOKWRIGHT_MASTER_KEY")
        head, nonce, ciphertext = _parts(sealed, HEAD_BYTES)
        try:
            return cipher.decrypt(nonce, ciphertext, _bound_to(binding, head))
        except InvalidTag:
            raise ValueError("sealed for another row, or damaged") from None

    def sign(self, purpose: str, message: bytes) -> bytes:
        """A mark that nobody makes without the first master key: HMAC-SHA256 under a key for this purpose alone."""
        return hmac.digest(_key_for(purpose, self._masters[0]), message, "sha256")

    def has_signed(self, purpose: str, message: bytes, mark: bytes) -> bool:
        """Whether one of the master keys made this mark, for this message and purpose."""
        marks = [hmac.digest(_key_for(purpose, master), message, "sha256") for master in self._masters]
        return any(hmac.compare_digest(mark, each) for each in marks)

    def _open_without_key_id(self, account_id: int, sealed: bytes) -> bytes:
        _, nonce, ciphertext = _parts(sealed, 1)
        for cipher in self._ciphers.values():
            with suppress(InvalidTag):
                return cipher.decrypt(nonce, ciphertext, b"account:%d" % account_id)
        raise ValueError("sealed with another master key: check HOOKWRIGHT_MASTER_KEY")


def key_id_of(master_key: bytes) -> bytes:
    """A name for a master key, made from it so that every process calls it the same."""
    if len(master_key) != 32:
        raise ValueError("the master key must be 32 bytes")
    return hashlib.sha256(b"hookwright master key id:" + master_key).digest()[:_KEY_ID_BYTES]


def _key_for(purpose: str, master_key: bytes) -> bytes:
    # One block of HKDF-Expand (RFC 5869 §2.3): a master key is random already, so nothing is to be extracted.
    return hmac.digest(master_key, b"hookwright " + purpose.encode() + b"\x01", "sha256")


def key_id_in(sealed: bytes) -> str | None:
    """The name of the master key that sealed this; None before there were names."""
    return sealed[1:HEAD_BYTES].hex() if sealed[:1] == _WITH_KEY_ID else None


def describe_head(sealed: bytes) -> str:
    """What sealed this, for people."""
    return key_id_in(sealed) or "without a key id"


def decode_master_keys(text: str) -> list[bytes]:
    """Master keys in base64, separated by commas or white space. Raises ValueError, which never holds one."""
    keys = [_decode_master_key(each) for each in text.replace(",", " ").split()]
    if not keys:
        raise ValueError(_CURE)
    if len(set(keys)) < len(keys):
        raise ValueError("the same master key stands there twice")
    return keys


def keep_master_keys(path: Path) -> list[bytes]:
    """The master keys kept in a file that only its owner may read; one is made when there is no file yet."""
    if not path.exists():
        _make_master_key(path)
    return decode_master_keys(path.read_text())


_CURE = "a master key is 32 random bytes in base64: openssl rand -base64 32"


def _decode_master_key(text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError(_CURE)
    return key


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


def _parts(sealed: bytes, head_bytes: int) -> tuple[bytes, bytes, bytes]:
    """Head, nonce and ciphertext. Raises ValueError when it is too short to have all three."""
    start = head_bytes + _NONCE_BYTES
    if len(sealed) <= start:
        raise ValueError("not a sealed value")
    return sealed[:head_bytes], sealed[head_bytes:start], sealed[start:]


def _bound_to(binding: Binding, head: bytes) -> bytes:
    # The head too, so that nobody can have a value taken for one of another version or key.
    place = f"{binding.what}:account:{binding.account_id}:endpoint:{binding.endpoint_id or 0}"
    return head + place.encode()
