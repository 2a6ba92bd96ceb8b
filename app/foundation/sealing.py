"""Secrets that must be read again, such as an address with a token in it: encrypted in the database.

The key is derived from `SECRET_KEY`, so a copy of the database alone gives nothing away. After `SECRET_KEY` was changed
what was sealed before can't be read any more, and whoever gave it gives it again.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

_PURPOSE = b"portalops sealed secrets 1"


class Unreadable(Exception):
    """It was sealed with another key."""


def seal(secret: str) -> bytes:
    """Encrypted and authenticated (Fernet: AES-128-CBC and HMAC-SHA256)."""
    return _box().encrypt(secret.encode())


def unseal(sealed: bytes) -> str:
    """What was sealed. Raises Unreadable."""
    try:
        return _box().decrypt(bytes(sealed)).decode()
    except InvalidToken:
        raise Unreadable("This secret was kept with another SECRET_KEY. Enter it again.") from None


def _box() -> Fernet:
    secret = str(current_app.config["SECRET_KEY"]).encode()
    key = HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret)
    return Fernet(base64.urlsafe_b64encode(key))
