"""Telling people, and their having read it."""

from sqlalchemy import update

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.notifications.models import Notification


def notify(person: Person, title: str, *, body: str | None = None, href: str | None = None) -> Notification:
    """Leave somebody a notice. `href` is a path in the portal."""
    notice = Notification(person_id=person.id, title=title, body=body, href=href)
    with unscoped():
        db.session.add(notice)
        db.session.flush()
    return notice


def mark_read(notice: Notification) -> None:
    """Note that it was read; the first time counts."""
    notice.read_at = notice.read_at or clock.now()
    db.session.flush()


def mark_all_read(person_id: int | None) -> None:
    """Note that somebody read all their notices."""
    unread = update(Notification).where(Notification.person_id == person_id, Notification.read_at.is_(None))
    db.session.execute(unread.values(read_at=clock.now()))
