"""The request id: taken from the proxy if it is a sane one, else made; it ties answers, log, jobs and audit together."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_followed: ContextVar[str | None] = ContextVar("followed_request", default=None)


def request_id() -> str:
    """The id of this request, the same from its first to its last line; `-` where none is known."""
    if not has_request_context():
        return _followed.get() or "-"
    if "request_id" not in g:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _SANE.fullmatch(given) else secrets.token_hex(8)
    found: str = g.request_id
    return found


def known_request_id() -> str | None:
    """The id of this request, or of the one that this work was promised in."""
    return request_id() if has_request_context() else _followed.get()


@contextmanager
def following(key: str | None) -> Iterator[None]:
    """Do a block's work in the name of the request with this id."""
    token = _followed.set(key)
    try:
        yield
    finally:
        _followed.reset(token)


def init_app(app: Flask) -> None:
    """Answer with the id, errors included."""

    @app.after_request
    def say_id(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response
