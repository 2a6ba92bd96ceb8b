"""The one SQLAlchemy handle, on Flask-AppBuilder's own declarative base so that there is a single metadata."""

import re
import select
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from flask_appbuilder import Model as Model  # noqa: PLC0414 - the base of every room's models
from flask_sqlalchemy import SQLAlchemy
from psycopg2 import extensions
from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ColumnElement,
    DateTime,
    Engine,
    Integer,
    any_,
    bindparam,
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

_MAY_DO_MORE = re.compile(r"\bFOR\b|_lock|\bset_config\b|\bnextval\b|\bINTO\b", re.IGNORECASE)

_TIMESTAMPTZ = 1184  # pg_type.oid

db = SQLAlchemy(model_class=Model)


def moment_of(text: Any, cursor: Any) -> datetime | None:
    """A `timestamptz` as PostgreSQL writes it. In half of the time that psycopg2 takes itself."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:  # as years before Christ, and infinity
        found: datetime = extensions.PYDATETIMETZ(text, cursor)
        return found


extensions.register_type(extensions.new_type((_TIMESTAMPTZ,), "TIMESTAMPTZ", moment_of))


@event.listens_for(QueuePool, "checkout")
def refuse_dropped_connection(connection: Any, _record: Any, _proxy: Any) -> None:
    """A connection that PostgreSQL closed while it lay in the pool has something to read: the end.

    `pool_pre_ping` finds out by a statement of its own, which every request would wait for; this asks the socket.
    """
    idle = select.poll()
    idle.register(connection.fileno(), select.POLLIN)
    if idle.poll(0):
        raise InvalidatePoolError


@event.listens_for(QueuePool, "checkout")
def read_without_transaction(connection: Any, _record: Any, _proxy: Any) -> None:
    """A transaction begins with the first statement that writes or locks, not with the first one at all.

    At READ COMMITTED each statement has its own snapshot, so reads in a transaction see no more than reads outside of
    one; they only pay for two round trips more. Setting this asks nothing of PostgreSQL.
    """
    connection.autocommit = True


@event.listens_for(Engine, "before_cursor_execute")
def begin_before_writing(
    connection: Any, cursor: Any, statement: str, _values: Any, context: Any, _many: object
) -> None:
    """See `read_without_transaction`. Who asks for AUTOCOMMIT by that name keeps it."""
    if not cursor.connection.autocommit or (_only_reads(statement) and not context._is_server_side):  # noqa: SLF001
        return
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        cursor.connection.autocommit = False


@lru_cache(maxsize=2048)
def _only_reads(statement: str) -> bool:
    """Certain, not clever: what might lock or set anything counts as writing."""
    return statement.startswith("SELECT") and not _MAY_DO_MORE.search(statement)


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


def among(column: Any, keys: Sequence[int] | str) -> ColumnElement[bool]:
    """Whether a column is one of many integers, given now or later as the value of the parameter of this name.

    They travel as one array; `in_` makes a parameter of each.
    """
    many: Any = ARRAY(Integer)
    given: Any = bindparam(keys, type_=many) if isinstance(keys, str) else literal(list(keys), many)
    found: ColumnElement[bool] = column == any_(given)
    return found
