"""Errors, rendered twice: JSON in the published shape for programs, a page in the portal's look for people."""

import logging
from typing import Any

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from jinja2 import Template
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, SecurityError

from app.foundation.database import db
from app.foundation.errors import DomainError, RateLimited, from_database
from app.foundation.storage import StorageGone
from app.foundation.trace import request_id

log = logging.getLogger(__name__)

CODES = {
    400: "invalid_input",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "payload_too_large",
    415: "invalid_input",
    422: "invalid_input",
    429: "rate_limited",
    500: "internal_error",
    503: "unavailable",
}
MESSAGES = {
    400: "The request can't be read.",
    401: "Sign in first: no, a wrong or an expired token was sent.",
    403: "You may not do this.",
    404: "There is no such thing, or you may not see it.",
    405: "This address does not take that method.",
    413: "The request is too large.",
    415: "Send JSON with Content-Type: application/json.",
    429: "Too many requests. Wait a moment and try again.",
    500: "Something broke on our side; nothing was half done.",
    503: "PortalOps can't reach its database. Try again in a moment.",
}
MESSAGE_STORAGE = "PortalOps can't reach the storage of its files. Try again in a moment."
HEADINGS = {
    400: "This request can't be read",
    401: "Please sign in",
    405: "This page can't do that",
    422: "Something in there does not fit",
}
BARE = {500, 503}
RETRY_SECONDS = "5"


def wants_json() -> bool:
    """Whether a program asks: everything under /api, and whoever prefers JSON to HTML."""
    if f"{request.path}/".startswith(("/api/", f"{current_app.config['API_PREFIX']}/")):
        return True
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"], default="text/html") == "application/json"


def error_response(
    status: int, message: str = "", detail: list[dict[str, str]] | None = None, code: str = ""
) -> Response:
    """An answer in the contract's error shape, or the page that says the same."""
    own, message = message, message or MESSAGES.get(status, "This can't be done.")
    if wants_json():
        body = {
            "error": code or CODES.get(status, "invalid_input"),
            "message": message,
            "detail": detail or [],
        }
        response = make_response(jsonify(body), status)
    else:
        response = make_response(_page(status, own, message), status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        response.headers["Retry-After"] = RETRY_SECONDS
    return response


def _page(status: int, own: str, fallback: str) -> str:
    """`own` is what this error says; the page of the status may have better general words than `fallback`."""
    names: list[str | Template] = [f"portal/errors/{status}.html", "portal/error.html"]
    page = {
        "code": status,
        "heading": HEADINGS.get(status, "This can't be done"),
        "message": own,
        "fallback": fallback,
        "request_id": request_id(),
    }
    if status in BARE:
        # No session, no database, no context processor may be needed to say that something broke.
        template = current_app.jinja_env.get_template(f"portal/errors/{status}.html")
        return template.render(
            **page, request=request, csp_nonce=lambda: "", product=current_app.config["APP_NAME"]
        )
    return render_template(names, **page)


def render_domain_error(error: DomainError) -> Response:
    """A rule said no."""
    body = error.as_dict()
    response = error_response(error.status, error.message, body["detail"], error.code)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def init_app(app: Flask) -> None:
    """Answer every error in one of the two ways."""
    app.register_error_handler(DomainError, domain_error)
    app.register_error_handler(IntegrityError, refused_by_database)
    app.register_error_handler(DataError, refused_by_database)
    app.register_error_handler(OperationalError, database_gone)
    app.register_error_handler(PoolTimeout, database_gone)
    app.register_error_handler(SecurityError, unknown_name)
    app.register_error_handler(StorageGone, storage_gone)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, broken)


def domain_error(error: DomainError) -> Response:
    """A rule said no."""
    db.session.rollback()
    return render_domain_error(error)


def refused_by_database(error: IntegrityError | DataError) -> Response:
    """The database said no: a constraint, or a value that no column holds."""
    db.session.rollback()
    return render_domain_error(from_database(error))


def database_gone(error: OperationalError | PoolTimeout) -> Response:
    """The database is away, or every connection to it is in use."""
    log.error("the database does not answer: %s", error)
    db.session.remove()
    return error_response(503)


def storage_gone(_error: StorageGone) -> Response:
    """The storage of files is away; it has written down why."""
    db.session.rollback()
    return error_response(503, MESSAGE_STORAGE)


def http_error(error: HTTPException) -> Any:
    """What Flask, Werkzeug or an extension refuses; a message is ours only where we wrote one."""
    status = error.code or 500
    if status < 400:
        return error
    own = (
        error.description
        if status in {400, 409, 422} and type(error).description != error.description
        else ""
    )
    if isinstance(error, CSRFError):
        own = "This form is too old or its session has ended. Go back, load the page again and send it once more."
    response = error_response(status, own or "")
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def unknown_name(_error: SecurityError) -> Response:
    """Asked by a name that is not in TRUSTED_HOSTS. No page: under that name nothing has an address."""
    message = "The portal does not answer to this name."
    body = {"error": CODES[400], "message": message, "detail": []}
    if wants_json():
        return make_response(jsonify(body), 400)
    return Response(message, 400, mimetype="text/plain")


def broken(error: Exception) -> Response:
    """A fault of ours: the log has the trace, the answer only its request id."""
    log.error("unhandled error in %s", request.path, exc_info=error)
    db.session.rollback()
    return error_response(500)
