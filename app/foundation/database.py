"""The one SQLAlchemy handle, on Flask-AppBuilder's own declarative base so that there is a single metadata."""

import select
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from flask_appbuilder import Model as Model  # noqa: PLC0414 - the base of every room's models
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Integer,
    any_,
    event,
    literal,
)
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import QueuePool

from app.foundation import clock

Model.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

db = SQLAlchemy(model_class=Model)


@event.listens_for(QueuePool, "checkout")
def refuse_dropped_connection(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that PostgreSQL closed while it lay in the pool has something to read: the end.

    `pool_pre_ping` finds out by a statement of its own, which every request would wait for; this asks the socket.
    """
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        raise InvalidatePoolError


def one_of(column: str, choices: type[StrEnum]) -> CheckConstraint:
    """A named check that the column holds one of the enum's values; text stays readable in psql and in exports."""
    values = ", ".join(f"'{choice.value}'" for choice in choices)
    allowed = ", ".join(choice.value for choice in choices)
    return CheckConstraint(
        f"{column} IN ({values})",
        name=column,
        info={"field": column, "message": f"Choose one of: {allowed}."},
    )


def not_blank(column: str, label: str) -> CheckConstraint:
    """A named check that the column holds something other than white space."""
    return CheckConstraint(
        f"btrim({column}) <> ''",
        name=f"{column}_not_blank",
        info={"field": column, "message": f"{label} must not be empty."},
    )


class Timestamps:
    """When a row was made and last changed, UTC."""

    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now, sort_order=900)
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), default=clock.now, onupdate=clock.now, sort_order=901
    )


def assign(row: Any, fields: dict[str, Any], allowed: Iterable[str]) -> None:
    """Set those of the allowed attributes that the caller gave; the others keep their value."""
    for name in allowed:
        if name in fields:
            setattr(row, name, fields[name])


def among(column: Any, keys: Sequence[int]) -> ColumnElement[bool]:
    """Whether a column is one of many integers. They travel as one array; `in_` makes a parameter of each."""
    found: ColumnElement[bool] = column == any_(literal(list(keys), ARRAY(Integer)))
    return found
