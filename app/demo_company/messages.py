"""The mails that would have been sent, as old as the notices that they tell of, and two people who chose for themselves."""

from datetime import time

from sqlalchemy import select, update

from app.demo_company.company import DOMAIN
from app.directory.models import Person
from app.foundation.database import db
from app.notifications import preferences
from app.notifications.message_models import Message, MessageState
from app.notifications.models import Kind, Notification
from app.notifications.preference_models import Channel, Choice


def tell() -> None:
    """There is no mail server in the demo, so every mail is kept."""
    decided = select(Notification.created_at).where(Notification.id == Message.notification_id)
    kept = update(Message).where(Message.state == MessageState.KEPT, Message.notification_id.is_not(None))
    moment = decided.scalar_subquery()
    db.session.execute(kept.values(created_at=moment, due_at=moment, finished_at=moment))
    _choose("alice", {(Kind.ACCESS, Channel.EMAIL): Choice.AT_ONCE}, quiet=(time(19), time(7, 30)))
    _choose("bob", {(Kind.TASK, Channel.EMAIL): Choice.DIGEST, (Kind.ACCESS, Channel.EMAIL): Choice.OFF})


def _choose(
    name: str, choices: dict[preferences.Key, Choice], quiet: tuple[time, time] | None = None
) -> None:
    person_id = db.session.scalars(select(Person.id).where(Person.email == f"{name}@{DOMAIN}")).one()
    preferences.choose(person_id, choices)
    if quiet:
        preferences.change_hours(person_id, quiet_from=quiet[0], quiet_until=quiet[1], digest_hour=None)
