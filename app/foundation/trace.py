"""The request id: taken from the proxy if it is a sane one, else made; it ties answers, log and audit together."""

import re
import secrets

from flask import Flask, Response, g, has_request_context, request

HEADER = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id() -> str:
    """The id of this request, the same from its first to its last line."""
    if not has_request_context():
        return "-"
    if "request_id" not in g:
        given = request.headers.get(HEADER, "")
        g.request_id = given if _SANE.fullmatch(given) else secrets.token_hex(8)
    found: str = g.request_id
    return found


def init_app(app: Flask) -> None:
    """Answer with the id, errors included."""

    @app.after_request
    def say_id(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        return response
