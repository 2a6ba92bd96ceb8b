"""One error type for every rule that says no, and what the database's own refusals mean to people."""

import re
from functools import cache
from typing import Any

from sqlalchemy import Constraint, Index
from sqlalchemy.exc import DataError, IntegrityError

from app.foundation.database import db


class DomainError(Exception):
    """A rule said no.

    `code` and `status` are the published contract's, `message` is for people, and `fields` maps the name of a
    field to what is wrong with it.
    """

    code = "conflict"
    status = 409

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields or {}

    def as_dict(self) -> dict[str, Any]:
        """The published error shape."""
        detail = [{"field": field, "message": message} for field, message in self.fields.items()]
        return {"error": self.code, "message": self.message, "detail": detail}


class Conflict(DomainError):
    """The request is sound, but the state of things does not allow it."""


class NotFound(DomainError):
    """No such thing, or none that this viewer may see: the two are never told apart."""

    code = "not_found"
    status = 404


class Forbidden(DomainError):
    """The viewer may see it but not do this to it."""

    code = "forbidden"
    status = 403


class Unauthorized(DomainError):
    """Nobody is signed in, or not any more."""

    code = "unauthorized"
    status = 401


class RateLimited(DomainError):
    """Too often; `retry_after` says in how many seconds it may be tried again."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreadable(DomainError):
    """The request can't be read at all."""

    code = "invalid_input"
    status = 400


class PayloadTooLarge(DomainError):
    """The request's body is over the size that this door accepts."""

    code = "payload_too_large"
    status = 413


class InvalidInput(DomainError):
    """A field does not validate."""

    code = "invalid_input"
    status = 422

    def __init__(self, message: str = "", **fields: str) -> None:
        super().__init__(message or " ".join(fields.values()), fields=fields)


@cache
def _constraint_messages() -> dict[str, dict[str, str]]:
    """Constraint name -> its `info` (`field`, `message`), gathered from the models."""
    found: dict[str, dict[str, str]] = {}
    for table in db.metadata.tables.values():
        rules: set[Constraint | Index] = {*table.constraints, *table.indexes}
        found.update({str(rule.name): rule.info for rule in rules if "message" in rule.info})
    return found


def from_database(error: IntegrityError | DataError) -> DomainError:
    """What a refusal of PostgreSQL means to people; never the SQL, never a parameter.

    The codes are PostgreSQL's SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation).
    """
    diagnosis = getattr(error.orig, "diag", None)
    state = getattr(error.orig, "pgcode", None) or ""
    known = _constraint_messages().get(getattr(diagnosis, "constraint_name", None) or "")
    if known:
        kind = Conflict if state == "23505" else InvalidInput
        refusal = kind(known["message"])
        refusal.fields = {known["field"]: known["message"]}
        return refusal
    if state == "23503":
        return _dependency(str(getattr(diagnosis, "message_detail", "") or ""))
    if state == "23502":
        column = getattr(diagnosis, "column_name", None) or "value"
        return InvalidInput(**{column: "This field is required."})
    if state == "23505":
        return Conflict("There is one like this already.")
    return InvalidInput("A value is too long, too large or of the wrong kind.")


def _dependency(detail: str) -> DomainError:
    """A foreign key that points nowhere, or a row that others still point to."""
    still_used = re.search(r'still referenced from table "(\w+)"', detail)
    if still_used:
        table = db.metadata.tables[still_used.group(1)]
        what = table.info.get("people_say", table.name.replace("_", " "))
        return Conflict(f"This can't be deleted: {what} still depend on it.")
    column = re.search(r"\((\w+)\)=", detail)
    return InvalidInput(**{column.group(1) if column else "value": "There is no such entry."})
