"""Every change of every audited row becomes an entry in the same transaction. Nobody calls this for CRUD.

Entries are noted as the changes are made, and written as the transaction's last statement.

A model is audited unless it says `__audit__ = False`. `__audit_noun__` is the first half of the action's name,
`__audit_secret__` names columns whose change is worth knowing and whose value is not, `__audit_quiet__` names columns
whose change is no news.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import event, insert, inspect
from sqlalchemy.orm import MANYTOMANY, Mapper, Session, SessionTransaction

from app.audit.models import AuditEntry
from app.foundation.actor import current_actor
from app.foundation.card_numbers import masked
from app.foundation.database import db
from app.foundation.scoping import unscoped

ALWAYS_QUIET = frozenset({"created_at", "updated_at", "created_on", "changed_on"})
HIDDEN = "(hidden)"
LONGEST_TEXT = 10_000

State = dict[str, Any]


def noun_of(model: type[Any]) -> str:
    """What the log calls a row of this model."""
    return (
        getattr(model, "__audit_noun__", None) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", model.__name__).lower()
    )


def entry_values(action: str, **columns: Any) -> dict[str, Any]:
    """The columns of an entry by whoever is acting now; the trigger fills in the rest."""
    actor = current_actor()
    blank = {"id": 0, "target_id": None, "target_label": None, "before": None, "after": None}
    label = columns.get("target_label")
    return {
        **blank,
        **columns,
        "target_label": label and masked(label),
        "action": action,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "actor_email": actor.email,
        "address": actor.address,
        "request_id": actor.request_id,
    }


def record(action: str, **columns: Any) -> None:
    """Note a business fact that is no change of a row: a sign-in, a denial, an export."""
    _noted(db.session()).append(entry_values(action, **columns))


def _noted(session: Session) -> list[dict[str, Any]]:
    """The entries of the transaction so far."""
    entries: list[dict[str, Any]] = session.info.setdefault("audit_entries", [])
    return entries


@event.listens_for(Mapper, "mapper_configured")
def _keep_old_values(mapper: Mapper[Any], model: type[Any]) -> None:
    """Let SQLAlchemy load what an attribute holds before it is set: an expired row would have no before."""
    if getattr(model, "__audit__", True):
        for attribute in mapper.column_attrs:
            event.listen(attribute.class_attribute, "set", lambda *_: None, active_history=True)


@event.listens_for(db.session, "before_flush")
def _note_deletions(session: Session, _context: Any, _instances: Any) -> None:
    """While the rows are still there to be read, whoever looks: a label names what its writer may not see."""
    with unscoped():
        _noted(session).extend(_entries(session.deleted, "delete"))


@event.listens_for(db.session, "after_flush")
def _note_changes(session: Session, _context: Any) -> None:
    """After the flush, because only then new rows have ids and relations have become foreign keys."""
    with unscoped():
        _noted(session).extend([*_entries(session.new, "create"), *_entries(session.dirty, "update")])


@event.listens_for(db.session, "before_commit")
def _write(session: Session) -> None:
    """All entries of a transaction, as its last statement: the chain has one end, and whoever extends it holds it.

    Held through the rest of a transaction it would let one writer at a time through, and be locked in an order with
    the rows that two writers may need the other way round.
    """
    if session.in_nested_transaction():
        return
    session.flush()
    entries = session.info.pop("audit_entries", [])
    if entries:
        session.connection().execute(insert(AuditEntry.__table__), entries)


@event.listens_for(db.session, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    """Where a savepoint begins, so that its entries can go with it."""
    if transaction.nested:
        session.info.setdefault("audit_marks", WeakKeyDictionary())[transaction] = len(_noted(session))


@event.listens_for(db.session, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    """What was undone is no news.

    A flush that fails takes the savepoint or the transaction around it along, and SQLAlchemy tells of the flush alone.
    """
    while transaction.parent is not None and not transaction.nested:
        transaction = transaction.parent
    if transaction.nested:
        del _noted(session)[session.info["audit_marks"][transaction] :]
    else:
        _noted(session).clear()


def _entries(rows: Iterable[Any], verb: str) -> list[dict[str, Any]]:
    found = (_entry(row, verb) for row in rows if getattr(row, "__audit__", True))
    return [entry for entry in found if entry]


def _entry(row: Any, verb: str) -> dict[str, Any] | None:
    before, after = _difference(row, verb)
    if verb == "update" and not (before or after):
        return None
    key = inspect(row).mapper.primary_key_from_instance(row)[0]
    return entry_values(
        f"{noun_of(type(row))}.{verb}",
        target_type=noun_of(type(row)),
        target_id=None if key is None else str(key),
        target_label=str(row)[:200],
        before=None if verb == "create" else before,
        after=None if verb == "delete" else after,
    )


def _difference(row: Any, verb: str) -> tuple[State, State]:
    """The changed fields before and after: all that have a value for a new or deleted row."""
    state = inspect(row)
    secret = getattr(row, "__audit_secret__", ())
    quiet = ALWAYS_QUIET | set(getattr(row, "__audit_quiet__", ()))
    before: State = {}
    after: State = {}
    names = [attribute.key for attribute in state.mapper.column_attrs]
    names += [
        link.key for link in state.mapper.relationships if link.direction is MANYTOMANY and not link.viewonly
    ]
    for name in names:
        if name in quiet or (name in state.unloaded and verb != "delete"):
            continue
        old, new = _old_and_new(state, name, verb)
        if old == new:
            continue
        hide = name in secret
        before[name] = HIDDEN if hide and old is not None else old
        after[name] = HIDDEN if hide and new is not None else new
    return before, after


def _old_and_new(state: Any, name: str, verb: str) -> tuple[Any, Any]:
    if name in state.mapper.relationships:
        return _linked(state, name, verb)
    history = state.attrs[name].history
    current = None if name in state.unloaded else _plain(state.attrs[name].value)
    if verb == "create":
        return None, current
    if verb == "delete":
        return (_plain(history.deleted[0]) if history.deleted else current), None
    if not history.has_changes():
        return current, current
    return (_plain(history.deleted[0]) if history.deleted else None), current


def _linked(state: Any, name: str, verb: str) -> tuple[Any, Any]:
    history = state.attrs[name].history
    kept = [str(row) for row in history.unchanged or ()]
    old = sorted(kept + [str(row) for row in history.deleted or ()])
    new = sorted(kept + [str(row) for row in history.added or ()])
    if verb == "create":
        return None, new or None
    return old, (None if verb == "delete" else new)


def _plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return str(value[:LONGEST_TEXT])
    return value
