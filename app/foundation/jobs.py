"""Jobs: a function that takes ids, calls one operation, and may run twice. `perform` is all that RQ ever calls."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Any

from flask import Flask, current_app, has_app_context
from sqlalchemy import select

from app.foundation import clock
from app.foundation.database import db
from app.foundation.outbox import MOST_ATTEMPTS, OutboxMessage, OutboxState, lease
from app.foundation.scoping import unscoped

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


def perform(key: int) -> None:
    """Run one outbox row's job, and mark it done, in one transaction; a row that somebody holds is left to them."""
    context = nullcontext() if has_app_context() else bound().app_context()
    with context, unscoped():
        try:
            _perform(key)
            db.session.commit()
        except Exception as error:
            db.session.rollback()
            log.exception("outbox row %s failed", key)
            _put_back(key, error)
        finally:
            db.session.remove()


def _perform(key: int) -> None:
    open_row = select(OutboxMessage).where(
        OutboxMessage.id == key, OutboxMessage.state == OutboxState.WAITING
    )
    message = db.session.scalar(open_row.with_for_update(skip_locked=True))
    if message is None:
        return
    resolve(message.job)(*message.arguments)
    message.state = OutboxState.DONE
    message.finished_at = clock.now()
    message.last_error = None


def _put_back(key: int, error: Exception) -> None:
    """Say what went wrong; the sweeper tries again when the lease is over, until the row is a dead letter."""
    message = db.session.get(OutboxMessage, key)
    if message is None or message.state != OutboxState.WAITING:
        return
    message.last_error = f"{type(error).__name__}: {error}"[:2000]
    message.due_at = clock.now() + lease(message.attempts - 1)
    if message.attempts >= MOST_ATTEMPTS:
        message.state = OutboxState.DEAD
        message.finished_at = clock.now()
        current_app.logger.error("outbox row %s (%s) is a dead letter", key, message.job)
    db.session.commit()
