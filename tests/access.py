"""A row rule, asked on every path: what somebody may select, count, join, load, change and delete."""

from typing import Any

from sqlalchemy import delete, func, inspect, select, text, update
from sqlalchemy.orm import aliased

from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.foundation.viewer import Viewer, viewing_as


def seen_by(viewer: Viewer, model: type[Any], column: Any) -> set[Any]:
    """The values of a column in the rows that a viewer sees. Fails if two paths to them disagree."""
    key = getattr(model, inspect(model).primary_key[0].key)
    other = aliased(model)
    db.session.flush()
    db.session.expunge_all()
    with viewing_as(viewer):
        keys = set(db.session.scalars(select(key)))
        assert {inspect(row).identity[0] for row in db.session.scalars(select(model))} == keys
        assert db.session.scalar(select(func.count()).select_from(model)) == len(keys)
        assert db.session.query(model).count() == len(keys)
        assert set(db.session.scalars(select(getattr(other, key.key)))) == keys
        assert set(db.session.scalars(select(key).where(key.in_(select(key))))) == keys
        pairs = select(getattr(other, key.key)).join(model, key == getattr(other, key.key))
        assert set(db.session.scalars(pairs)) == keys
        assert _touched(update(model).values({key.key: key}).returning(key)) == keys
        assert _touched(delete(model).returning(key)) == keys
        return set(db.session.scalars(select(column)))


def _touched(statement: Any) -> set[Any]:
    """The rows that a statement changes, which is undone. Neither triggers nor foreign keys stop it meanwhile."""
    with db.session.begin_nested() as savepoint:
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        found = set(db.session.execute(statement, execution_options={"synchronize_session": False}).scalars())
        savepoint.rollback()
    return found


def everything(column: Any) -> set[Any]:
    """The values of a column in all rows."""
    with unscoped():
        return set(db.session.scalars(select(column)))
