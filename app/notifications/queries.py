"""Reads of notices and messages."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import joinedload

from app.directory.models import Person
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.notifications.message_models import Message, MessageState
from app.notifications.models import Notification

MOST_COUNTED = 1_000
# How many notices the person :person_id has not read.
UNREAD_COUNT = select(func.count()).where(
    Notification.person_id == bindparam("person_id"), Notification.read_at.is_(None)
)


def notices_of(
    person_id: int | None,
    *,
    unread: bool = False,
    kind: str = "",
    before_id: int | None = None,
    size: int = 50,
) -> list[Notification]:
    """Somebody's notices, newest first; pages by key cost the same at any depth."""
    query = select(Notification).where(Notification.person_id == person_id)
    if unread:
        query = query.where(Notification.read_at.is_(None))
    if kind:
        query = query.where(Notification.kind == kind)
    if before_id:
        query = query.where(Notification.id < before_id)
    return list(db.session.scalars(query.order_by(Notification.id.desc()).limit(size)))


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What a reader of the log of messages looks for."""

    state: str = ""
    channel: str = ""
    kind: str = ""
    to: str = ""


def messages(wanted: MessageFilter, *, before_id: int | None, size: int) -> list[Message]:
    """The newest messages that fit, with whom they are for."""
    query = _matching(select(Message), wanted).options(
        joinedload(Message.person), joinedload(Message.chat_channel)
    )
    if before_id:
        query = query.where(Message.id < before_id)
    return list(db.session.scalars(query.order_by(Message.id.desc()).limit(size)))


def _matching(query: Select[Any], wanted: MessageFilter) -> Select[Any]:
    if wanted.state:
        query = query.where(Message.state == wanted.state)
    if wanted.channel:
        query = query.where(Message.channel == wanted.channel)
    if wanted.kind:
        query = query.where(Message.kind == wanted.kind)
    if wanted.to:
        people = select(Person.id).where(Person.name.icontains(wanted.to, autoescape=True))
        query = query.where(
            Message.person_id.in_(people) | Message.address.icontains(wanted.to, autoescape=True)
        )
    return query


def message_counts() -> dict[str, int]:
    """How many messages stand in each state."""
    rows = db.session.execute(select(Message.state, func.count()).group_by(Message.state))
    return {state: count for state, count in rows}  # noqa: C416 - a row is no pair to mypy


@dataclass(frozen=True, slots=True)
class Undelivered:
    """How many messages did not arrive, and how many mails are kept for want of a server; counted up to `MOST_COUNTED`."""

    failed: int
    kept: int


def undelivered() -> Undelivered:
    """What an Admin should know of messages, in one statement."""

    def count(*states: str) -> Any:
        some = select(Message.id).where(Message.state.in_(states)).limit(MOST_COUNTED).subquery()
        return select(func.count()).select_from(some).scalar_subquery()

    row = db.session.execute(
        select(count(MessageState.DEAD, MessageState.FAILED), count(MessageState.KEPT))
    ).one()
    return Undelivered(*row)


def in_digest(digest: Message) -> list[Message]:
    """The messages that a digest holds."""
    query = select(Message).where(Message.digest_id == digest.id)
    return list(db.session.scalars(query.order_by(Message.id).limit(500)))


def cause_href(message: Message) -> str | None:
    """Where in the portal the thing is that a message tells of. The notice itself is its reader's alone."""
    with unscoped():
        if message.notification_id is None:
            return None
        return db.session.scalar(select(Notification.href).where(Notification.id == message.notification_id))
