"""Reads of the log."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from flask import current_app
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, bindparam, func, or_, select

from app.audit.models import AuditEntry
from app.foundation import clock, prepared
from app.foundation.database import db

KEPT_COUNTS = 200
_NEWEST = select(func.max(AuditEntry.id))


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
    return _newest_first(*(columns or (AuditEntry,))).where(*_rules(wanted))


@cache
def _newest_first(*columns: Any) -> Select[Any]:
    return select(*columns).order_by(AuditEntry.id.desc())


def page(wanted: LogFilter, columns: Sequence[Any], *, number: int, size: int) -> tuple[Sequence[Any], int]:
    """A page of the entries that fit, newest first, and how many fit.

    The log is numbered without gaps and never changes. So the whole log's page is found by its numbers, at any depth
    as fast as the first; and what was counted once is not counted again: only entries that came since are.
    """
    derive = _by_number if wanted == LogFilter() else _by_counting
    rows = prepared.rows(matching(wanted, *columns), derive, size=size, skipped=(number - 1) * size)
    newest = rows[0][-1] if rows else prepared.rows(_NEWEST)[0][0] or 0
    total = newest if derive is _by_number else _count(wanted, newest)
    return [row[:-1] for row in rows], total


def _by_number(query: Select[Any]) -> Select[Any]:
    newest = _NEWEST.scalar_subquery()
    shown = query.where(AuditEntry.id <= newest - bindparam("skipped", type_=BigInteger))
    return shown.limit(bindparam("size", type_=Integer)).add_columns(newest)


def _by_counting(query: Select[Any]) -> Select[Any]:
    shown = query.limit(bindparam("size", type_=Integer)).offset(bindparam("skipped", type_=Integer))
    return shown.add_columns(_NEWEST.scalar_subquery())


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
        fresh = fresh.where(AuditEntry.id > upto, AuditEntry.id <= newest)
        count += prepared.rows(fresh)[0][0]
    counted[wanted] = (newest, count)
    while len(counted) > KEPT_COUNTS:
        counted.popitem(last=False)
    return count


def _rules(wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    """The criterion of each wish."""
    entry = AuditEntry
    if wanted.action:
        yield entry.action.startswith(wanted.action, autoescape=True)
    if wanted.actor:
        columns = (entry.actor_name, entry.actor_email)
        yield or_(*(column.icontains(wanted.actor, autoescape=True) for column in columns))
    if wanted.target:
        yield entry.target_label.icontains(wanted.target, autoescape=True)
    for name in ("actor_id", "target_type", "target_id", "request_id"):
        if value := getattr(wanted, name):
            yield getattr(entry, name) == value
    if wanted.first_day:
        yield entry.created_at >= _midnight(wanted.first_day)
    if wanted.last_day:
        yield entry.created_at < _midnight(wanted.last_day + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.zone())
