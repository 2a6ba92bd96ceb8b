"""Reads of notices."""

from sqlalchemy import func, select

from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.notifications.models import Notification


def unread_count(person_id: int | None) -> int:
    """How many notices somebody has not read."""
    with unscoped():
        unread = select(func.count()).where(
            Notification.person_id == person_id, Notification.read_at.is_(None)
        )
        return db.session.scalar(unread) or 0


def latest(person_id: int | None, limit: int = 100) -> list[Notification]:
    """Somebody's notices, newest first."""
    query = select(Notification).where(Notification.person_id == person_id).order_by(Notification.id.desc())
    return list(db.session.scalars(query.limit(limit)))
