"""Reads of notices."""

from typing import Any

from sqlalchemy import Select, func, select

from app.foundation.database import db
from app.notifications.models import Notification


def unread_count_of(person_id: int | None) -> Select[Any]:
    """How many notices somebody has not read."""
    return select(func.count()).where(Notification.person_id == person_id, Notification.read_at.is_(None))


def latest(person_id: int | None, limit: int = 100) -> list[Notification]:
    """Somebody's notices, newest first."""
    query = select(Notification).where(Notification.person_id == person_id).order_by(Notification.id.desc())
    return list(db.session.scalars(query.limit(limit)))
