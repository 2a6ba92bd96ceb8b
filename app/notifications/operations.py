"""Telling people, and their having read it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.notifications.models import Kind, Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one person should know. `href` is a path in the portal; `cause` names why, and tells a person once."""

    person_id: int
    kind: Kind
    title: str
    body: str | None = None
    href: str | None = None
    cause: str | None = None


def notify(
    person: Person,
    title: str,
    *,
    kind: Kind = Kind.TASK,
    body: str | None = None,
    href: str | None = None,
    cause: str | None = None,
) -> None:
    """Leave somebody one notice."""
    notify_all([Notice(person_id=person.id, kind=kind, title=title, body=body, href=href, cause=cause)])


def notify_all(notices: Sequence[Notice]) -> list[int]:
    """Leave notices, thousands in a few statements; returns whom. Who was told of a cause is not told again."""
    if not notices:
        return []
    rows = insert(Notification).on_conflict_do_nothing().returning(Notification.person_id)
    with unscoped():
        told = db.session.scalars(rows, [asdict(notice) for notice in notices])
        return list(told)


def mark_read(notice: Notification) -> None:
    """Note that it was read; the first time counts."""
    notice.read_at = notice.read_at or clock.now()
    db.session.flush()


def mark_all_read(person_id: int | None) -> None:
    """Note that somebody read all their notices."""
    unread = update(Notification).where(Notification.person_id == person_id, Notification.read_at.is_(None))
    db.session.execute(unread.values(read_at=clock.now()))


def forget_read(before: datetime) -> int:
    """Delete notices that were read before then, and say how many."""
    with unscoped():
        old = delete(Notification).where(Notification.read_at < before)
        return int(db.session.execute(old).rowcount)  # type: ignore[attr-defined]
