"""Tokens whose signature this process has checked: the same text has the same. Time and session are asked anew."""

import hashlib
from functools import wraps
from typing import Any

from app.foundation import clock

KEPT = 4096

Claims = dict[str, Any]


class KnownTokens:
    """The claims of tokens by the hash of their text, so that no token lies in memory."""

    def __init__(self) -> None:
        self._claims: dict[bytes, Claims] = {}

    def claims_of(self, token: str) -> Claims | None:
        """A copy; None for a token that is not known, or has expired."""
        claims = self._claims.get(_key(token))
        return dict(claims) if claims and claims["exp"] > clock.now().timestamp() else None

    def checking_once(self, decode: Any) -> Any:
        """`JWTManager._decode_jwt_from_config`, asked for what is not known yet."""

        @wraps(decode)
        def decoded(token: str, csrf_value: str | None = None, allow_expired: bool = False) -> Claims:  # noqa: FBT001, FBT002
            claims = None if csrf_value else self.claims_of(token)
            if claims is None:
                claims = decode(token, csrf_value, allow_expired)
                if not allow_expired and "exp" in claims:
                    self._keep(token, claims)
            return claims

        return decoded

    def _keep(self, token: str, claims: Claims) -> None:
        if len(self._claims) >= KEPT:
            self._claims.clear()
        self._claims[_key(token)] = dict(claims)


def _key(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
