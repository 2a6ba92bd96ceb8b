"""Telling people, and their having read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert

from app.directory.access import ADMIN
from app.directory.models import Person
from app.directory.queries import people_with_role
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.notifications import planning
from app.notifications.models import Kind, Notification


@dataclass(frozen=True, slots=True)
class Item:
    """A line of a notice about several things; `href` is a path in the portal."""

    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one person should know. `href` is a path in the portal; `cause` names why, and tells a person once."""

    person_id: int
    kind: Kind
    title: str
    body: str | None = None
    href: str | None = None
    cause: str | None = None
    items: Sequence[Item] = ()


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


def tell_admins(title: str, body: str, *, href: str, cause: str) -> None:
    """Leave every Admin a notice about the portal's own health."""
    admins = people_with_role(ADMIN)
    kind = Kind.MACHINERY
    notify_all(
        [
            Notice(person_id=admin.id, kind=kind, title=title, body=body, href=href, cause=cause)
            for admin in admins
        ]
    )


def notify_all(notices: Sequence[Notice]) -> list[int]:
    """Leave notices, and write the messages that tell of them by each person's channels: thousands in a few statements.

    Returns whom. Who was told of a cause is not told again.
    """
    if not notices:
        return []
    columns = (
        Notification.id,
        Notification.person_id,
        Notification.kind,
        Notification.cause,
        Notification.title,
        Notification.body,
        Notification.href,
        Notification.items,
    )
    rows = insert(Notification).on_conflict_do_nothing().returning(*columns)
    options = {"insertmanyvalues_page_size": planning.ROWS_AT_A_TIME}
    with unscoped():
        told = db.session.execute(rows, [_row(one) for one in notices], execution_options=options).all()
        planning.plan(told)
    return [notice.person_id for notice in told]


def _row(notice: Notice) -> dict[str, Any]:
    return {
        "person_id": notice.person_id,
        "kind": notice.kind.value,
        "title": notice.title,
        "body": notice.body,
        "href": notice.href,
        "cause": notice.cause,
        "items": [{"text": item.text, "href": item.href} for item in notice.items],
    }


def mark_read(notice: Notification) -> None:
    """Note that it was read; the first time counts."""
    notice.read_at = notice.read_at or clock.now()
    db.session.flush()


def mark_unread(notice: Notification) -> None:
    """Leave it for later."""
    notice.read_at = None
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
