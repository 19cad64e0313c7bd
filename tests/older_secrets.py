"""Secrets as earlier versions kept them."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def sealed_without_key_id(master_key: bytes, account_id: int, secret: bytes) -> bytes:
    """As it was kept before master keys had ids: bound to the account alone."""
    nonce = os.urandom(12)
    return b"\x01" + nonce + AESGCM(master_key).encrypt(nonce, secret, b"account:%d" % account_id)
