"""Reads of the log."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, or_, select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db


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


def matching(wanted: LogFilter) -> Select[AuditEntry]:
    """The entries that fit, newest first."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc())
    for value, rule in _rules(wanted):
        if value:
            query = query.where(rule)
    return query


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
