"""Reads of the log."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Select, or_, select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What a reader looks for; days are in the company's time zone, both included."""

    action: str | None = None
    actor: str | None = None
    target: str | None = None
    target_type: str | None = None
    target_id: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    request_id: str | None = None


def entries(wanted: LogFilter, *, before_id: int | None, size: int) -> list[AuditEntry]:
    """The newest entries that fit, older than an entry if one is given: pages by key cost the same at any depth."""
    query = _matching(wanted).order_by(AuditEntry.id.desc()).limit(size)
    if before_id:
        query = query.where(AuditEntry.id < before_id)
    return list(db.session.scalars(query))


def _matching(wanted: LogFilter) -> Select[AuditEntry]:
    query = select(AuditEntry)
    if wanted.action:
        query = query.where(AuditEntry.action.startswith(wanted.action, autoescape=True))
    if wanted.actor:
        like = AuditEntry.actor_name.icontains(wanted.actor, autoescape=True)
        query = query.where(or_(like, AuditEntry.actor_email.icontains(wanted.actor, autoescape=True)))
    if wanted.target:
        query = query.where(AuditEntry.target_label.icontains(wanted.target, autoescape=True))
    if wanted.target_type and wanted.target_id:
        query = query.where(
            AuditEntry.target_type == wanted.target_type, AuditEntry.target_id == wanted.target_id
        )
    if wanted.request_id:
        query = query.where(AuditEntry.request_id == wanted.request_id)
    if wanted.first_day:
        query = query.where(AuditEntry.created_at >= _midnight(wanted.first_day))
    if wanted.last_day:
        query = query.where(AuditEntry.created_at < _midnight(wanted.last_day + timedelta(days=1)))
    return query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.zone())
