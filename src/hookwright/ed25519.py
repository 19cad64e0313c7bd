"""Ed25519 (RFC 8032): the arithmetic of Standard Webhooks' v1a signatures."""

from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

REMEMBERED_KEYS = 1_000


def public_key_of(seed: bytes) -> bytes:
    """The 32 bytes of the public key that belongs to a seed of 32 bytes. Raises ValueError for another length."""
    return _private_key(seed).public_key().public_bytes_raw()


def sign_ed25519(seed: bytes, message: bytes) -> bytes:
    """The signature of 64 bytes. Raises ValueError for a seed that does not have 32 bytes."""
    return _private_key(seed).sign(message)


def is_signed_by(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of a public key of 32 bytes signed these bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


# Expanding a seed costs as much as a signature, and an endpoint signs with the same one again and again.
@lru_cache(REMEMBERED_KEYS)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
