"""One look at each request, from its first hook to its answer: a line in the log, and what the meter makes of it."""

from collections.abc import Container
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Protocol

from flask import Flask, Request, Response, g, request
from sqlalchemy import Engine, event

from app.foundation import logs
from app.foundation.logs import redaction
from app.foundation.trace import request_id

UNKNOWN = "(unknown)"


@dataclass(slots=True)
class Seen:
    """A request so far: when it began, and how many SQL statements it took."""

    began: float
    statements: int = 0


class Meter(Protocol):
    """Who counts requests. `route` is the rule of the address, never the address itself."""

    def begin(self) -> None:
        """A request came."""

    def end(self, route: str, method: str, status: int, seconds: float, statements: int) -> None:
        """It was answered."""


_seen: ContextVar[Seen | None] = ContextVar("seen", default=None)


@event.listens_for(Engine, "before_cursor_execute")
def count_statement(*_: Any) -> None:
    """Statements of jobs and commands are nobody's."""
    seen = _seen.get()
    if seen is not None:
        seen.statements += 1


def init_app(app: Flask, meter: Meter | None, unlogged: Container[str]) -> None:
    """Call it before other hooks are registered: it begins before them and ends after them.

    What is asked every few seconds (`unlogged` routes) is logged only if it failed.
    """
    access = logs.direct()

    def begin() -> None:
        _seen.set(Seen(perf_counter()))
        if meter:
            meter.begin()

    def answered(response: Response) -> Response:
        seen = _seen.get()
        if seen is None:
            return response
        _seen.set(None)
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - once, not ten times
        status, rule = response.status_code, asked.url_rule
        route = rule.rule if rule else UNKNOWN
        fields = _fields(asked, route, response) if status >= 500 or route not in unlogged else None
        told = partial(_tell, access, meter, seen, (route, asked.method, status), fields)
        # Files are sent past the response, which is never closed then.
        if response.is_streamed and not response.direct_passthrough:
            response.call_on_close(told)
        else:
            told()
        return response

    app.before_request(begin)
    app.after_request(answered)


def _tell(
    access: Any,
    meter: Meter | None,
    seen: Seen,
    answer: tuple[str, str, int],
    fields: dict[str, Any] | None,
) -> None:
    """Whatever was to be sent is sent."""
    seconds = perf_counter() - seen.began
    if meter:
        meter.end(*answer, seconds, seen.statements)
    if fields:
        fields["duration_ms"], fields["statements"] = round(seconds * 1000, 1), seen.statements
        access.info("request", **fields)


def watch_paths(app: Flask) -> None:
    """Once all routes are there: which of them have a secret in their address."""
    redaction.hide_paths(rule.rule for rule in app.url_map.iter_rules())


def _fields(asked: Request, route: str, response: Response) -> dict[str, Any]:
    viewer, length = g.get("viewer"), response.headers.get("Content-Length")
    return {
        "method": asked.method,
        "route": route,
        "path": _path(asked.path, route),
        "status": response.status_code,
        "user": viewer.id if viewer else None,
        "address": asked.remote_addr,
        "request_id": g.get("request_id") or request_id(),
        "bytes": int(length) if length else None,
    }


def _path(path: str, route: str) -> str:
    """The address without its query; the rule instead of it where part of it is a secret."""
    if route == path:
        return path
    if redaction.is_secret_rule(route):
        return route
    return path if "<path:" in route else redaction.stray_path(path)
