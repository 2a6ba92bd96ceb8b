"""Flask, without what it would work out anew at each request."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer


class LeanSessions(SecureCookieSessionInterface):
    """Keeps what seals the cookies for as long as the secrets stay the same; Flask makes one for each request."""

    def __init__(self) -> None:
        self._kept: tuple[Any, URLSafeTimedSerializer | None] = (None, None)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """See Flask."""
        secrets = (app.secret_key, *(app.config["SECRET_KEY_FALLBACKS"] or ()))
        known, serializer = self._kept
        if secrets != known:
            serializer = super().get_signing_serializer(app)
            self._kept = (secrets, serializer)
        return serializer


class LeanFlask(Flask):
    """The application."""

    session_interface = LeanSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask looks, for each function that it calls, whether it is a coroutine. None of ours is."""
        return func
