"""Proof that a delivery comes from who it says: a shared key, or a signature made with it.

Signatures follow the Standard Webhooks specification 1.0: HMAC-SHA256 over `id.timestamp.body`, sent as `v1,<base64>`
in `webhook-signature`, with a timestamp at most `TOLERANCE_SECONDS` away.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable

from app.foundation import clock

TOLERANCE_SECONDS = 300
_SECONDS = re.compile("[0-9]{1,15}")


def key_matches(given: str, keys: Iterable[str]) -> bool:
    """Whether the given key is one of the active ones; each is compared in constant time, and all are."""
    digest = hashlib.sha256(given.encode("utf-8", "replace")).digest()
    matches = [hmac.compare_digest(digest, hashlib.sha256(key.encode()).digest()) for key in keys]
    return any(matches)


def sign(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature header of a delivery."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key.encode(), content, "sha256")).decode()


def signature_matches(header: str, keys: Iterable[str], message_id: str, timestamp: str, body: bytes) -> bool:
    """Whether any signature in the header was made with one of the keys, and recently."""
    if not _SECONDS.fullmatch(timestamp) or abs(clock.now().timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    given = [_decoded(part) for part in header.split(" ") if part.startswith("v1,")]
    expected = [_decoded(sign(key, message_id, int(timestamp), body)) for key in keys]
    return any(hmac.compare_digest(one, other) for one in given for other in expected)


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part.removeprefix("v1,"), validate=True)
    except (binascii.Error, ValueError):
        return b""
