"""Reads of the log."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, Select, func, or_, select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db

KEPT_COUNTS = 200


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a reader looks for; days are in the company's time zone, both included."""

    action: str | None = None
    actor_id: int | None = None
    actor: str | None = None
    target: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    request_id: str | None = None


def entries(wanted: LogFilter, *, before_id: int | None, size: int) -> list[AuditEntry]:
    """The newest entries that fit, older than an entry if one is given: pages by key cost the same at any depth."""
    query = matching(wanted).limit(size)
    if before_id:
        query = query.where(AuditEntry.id < before_id)
    return list(db.session.scalars(query))


def matching(wanted: LogFilter, *columns: Any) -> Select[Any]:
    """The entries that fit, newest first, or these columns of them."""
    query = select(*(columns or (AuditEntry,))).order_by(AuditEntry.id.desc())
    for value, rule in _rules(wanted):
        if value:
            query = query.where(rule)
    return query


def page(wanted: LogFilter, columns: Sequence[Any], *, number: int, size: int) -> tuple[Sequence[Any], int]:
    """A page of the entries that fit, newest first, and how many fit.

    The log is numbered without gaps and never changes. So the whole log's page is found by its numbers, at any depth
    as fast as the first; and what was counted once is not counted again: only entries that came since are.
    """
    newest = db.session.scalar(select(func.max(AuditEntry.id))) or 0
    offset, query = (number - 1) * size, matching(wanted, *columns)
    if wanted == LogFilter():
        rows = query.where(AuditEntry.id <= newest - offset).limit(size)
        return db.session.execute(rows).all(), newest
    rows = query.where(AuditEntry.id <= newest).limit(size).offset(offset)
    return db.session.execute(rows).all(), _count(wanted, newest)


def _count(wanted: LogFilter, newest: int) -> int:
    """How many entries up to the newest fit. Kept per process, for the filters that were asked last."""
    counted: OrderedDict[LogFilter, tuple[int, int]] = current_app.extensions.setdefault(
        "audit_counts", OrderedDict()
    )
    upto, count = counted.pop(wanted, (0, 0))
    if newest < upto:
        upto, count = 0, 0
    if newest > upto:
        fresh = matching(wanted, func.count()).order_by(None)
        count += db.session.scalar(fresh.where(AuditEntry.id > upto, AuditEntry.id <= newest)) or 0
    counted[wanted] = (newest, count)
    while len(counted) > KEPT_COUNTS:
        counted.popitem(last=False)
    return count


def _rules(wanted: LogFilter) -> list[tuple[object, ColumnElement[bool]]]:
    """Each wish, and the criterion that grants it."""
    entry, actor = AuditEntry, wanted.actor or ""
    name, email = (
        entry.actor_name.icontains(actor, autoescape=True),
        entry.actor_email.icontains(actor, autoescape=True),
    )
    return [
        (wanted.action, entry.action.startswith(wanted.action or "", autoescape=True)),
        (wanted.actor, or_(name, email)),
        (wanted.actor_id, entry.actor_id == wanted.actor_id),
        (wanted.target, entry.target_label.icontains(wanted.target or "", autoescape=True)),
        (wanted.target_type, entry.target_type == wanted.target_type),
        (wanted.target_id, entry.target_id == wanted.target_id),
        (wanted.request_id, entry.request_id == wanted.request_id),
        (wanted.first_day, entry.created_at >= _midnight(wanted.first_day or date.min)),
        (wanted.last_day, entry.created_at < _midnight((wanted.last_day or date.min) + timedelta(days=1))),
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.zone())
