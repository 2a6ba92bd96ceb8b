"""Jobs: a function that takes ids, calls one operation, and may run twice. `perform` is all that RQ ever calls."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any

from flask import Flask, has_app_context
from sqlalchemy import select, text

from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.scoping import unscoped
from app.foundation.trace import following

log = logging.getLogger(__name__)

_registered: dict[str, Callable[..., Any]] = {}
_bound: list[Flask] = []


def job(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the outbox call this function by its dotted name."""
    _registered[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def registered() -> dict[str, Callable[..., Any]]:
    """Every job, by dotted name."""
    return dict(_registered)


def resolve(name: str) -> Callable[..., Any]:
    """The job of this name. Raises LookupError for anything that was not declared with `@job`."""
    if name.startswith("app."):
        try:
            import_module(name.rpartition(".")[0])
        except ModuleNotFoundError as error:
            raise LookupError(f"{name} is no job: {error}") from error
    if name not in _registered:
        raise LookupError(f"{name} is no job")
    return _registered[name]


def bind(app: Flask) -> None:
    """Make this app the one that jobs of this process run in."""
    _bound[:] = [app]


def bound() -> Flask:
    """The app that jobs of this process run in."""
    return _bound[0]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an outbox row, as it was begun."""

    job_id: int
    job: str
    queue: str
    attempt: int
    request_id: str | None

    def told(self) -> dict[str, Any]:
        """What the log says of it; the request's id it says of every line."""
        return {"job_id": self.job_id, "job": self.job, "queue": self.queue, "attempt": self.attempt}


def perform(key: int) -> None:
    """Run one outbox row's job, and mark it done, in one transaction; a row that somebody holds is left to them."""
    context = nullcontext() if has_app_context() else bound().app_context()
    with context, unscoped():
        try:
            attempt = _begin(key)
            if attempt:
                with following(attempt.request_id), _logged(attempt):
                    _perform(key)
                    db.session.commit()
        except Exception as error:  # noqa: BLE001 - the log has it, and the row keeps it
            db.session.rollback()
            _put_back(key, error)
        finally:
            db.session.remove()


@contextmanager
def _logged(attempt: Attempt) -> Iterator[None]:
    """A line when it begins, and one when it ends."""
    began = perf_counter()

    def told() -> dict[str, Any]:
        return attempt.told() | {"duration_ms": round((perf_counter() - began) * 1000, 1)}

    log.info("job started", extra=attempt.told())
    try:
        yield
    except Exception:
        log.exception("job failed", extra=told())
        raise
    log.info("job done", extra=told())


def _open_row(key: int) -> OutboxMessage | None:
    """The row, locked, if there is something left to do and nobody else is at it."""
    row = select(OutboxMessage).where(OutboxMessage.id == key, OutboxMessage.state == OutboxState.WAITING)
    return db.session.scalar(row.with_for_update(skip_locked=True))


def _begin(key: int) -> Attempt | None:
    """Count the attempt where it stays counted if the work takes its worker along.

    The commit need not wait for the disk: should PostgreSQL crash just then, an attempt counts for nothing.
    """
    db.session.execute(text("SET LOCAL synchronous_commit = off"))
    attempt, message = None, _open_row(key)
    if message:
        outbox.begin(message)
        attempt = Attempt(key, message.job, message.queue, message.begun, message.request_id)
    db.session.commit()
    return attempt


def _perform(key: int) -> None:
    message = _open_row(key)
    if message is None:
        return
    resolve(message.job)(*message.arguments)
    message.state = OutboxState.DONE
    message.finished_at = clock.now()
    message.last_error = None


def _put_back(key: int, error: Exception) -> None:
    """Who holds the row by now will say what becomes of it."""
    message = _open_row(key)
    if message:
        outbox.fail(message, f"{type(error).__name__}: {error}")
    db.session.commit()
