"""What a write points to must be visible to whoever writes it: the row rules, for foreign keys."""

from functools import cache
from typing import Any, TypeVar

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from app.foundation.database import Model, db
from app.foundation.errors import InvalidInput
from app.foundation.scoping import criterion, is_scoped

Row = TypeVar("Row")

LARGEST_KEY = 2**31 - 1
NO_SUCH_ENTRY = "There is no such entry."


def visible(model: type[Row], key: Any, field: str) -> Row:
    """The row with this key if the viewer may see it; InvalidInput at the field otherwise."""
    row = find(model, key)
    if row is None:
        raise InvalidInput(**{field: NO_SUCH_ENTRY})
    return row


def find(model: type[Row], key: Any) -> Row | None:
    """The row with this key (an integer or its text) if the viewer may see it.

    A statement of its own: `Session.get` may answer from the session's memory without asking the row rule.
    """
    number = parse_key(key)
    if number is None:
        return None
    return db.session.scalar(select(model).where(inspect(model).primary_key[0] == number))


def parse_key(key: Any) -> int | None:
    """A key as PostgreSQL's integer, or None if no row can have it."""
    text = str(key)
    if isinstance(key, bool) or not (
        text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_KEY))
    ):
        return None
    return int(text) if 0 < int(text) <= LARGEST_KEY else None


@cache
def _model_of(table_name: str) -> type[Any] | None:
    mappers = Model.registry.mappers
    return next((mapper.class_ for mapper in mappers if mapper.local_table.name == table_name), None)


@event.listens_for(db.session, "before_flush")
def _check_foreign_keys(session: Session, _context: Any, _instances: Any) -> None:
    if not is_scoped():
        return
    with session.no_autoflush:
        for row in [*session.new, *session.dirty]:
            _check_row(session, row)


def _check_row(session: Session, row: Any) -> None:
    state = inspect(row)
    for attribute in state.mapper.column_attrs:
        keys = attribute.columns[0].foreign_keys
        changed = state.attrs[attribute.key].history.added
        if not keys or not changed or changed[0] is None:
            continue
        column = next(iter(keys)).column
        model = _model_of(column.table.name)
        if model is None or criterion(model) is None:
            continue
        # The model, not its column: a statement about columns of the table alone carries no row rule.
        if session.scalar(select(model).where(column == changed[0])) is None:
            raise InvalidInput(**{attribute.key: NO_SUCH_ENTRY})
