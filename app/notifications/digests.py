"""The daily digest: what was held for somebody becomes one message by each channel, at their hour."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import insert, select, update

from app.foundation import clock
from app.foundation.database import db
from app.notifications import mailing, planning
from app.notifications.message_models import DIGEST, Message, MessageState
from app.notifications.models import Kind, Notification
from app.notifications.preference_models import Channel, Choice
from app.notifications.preferences import Reader, readers

HELD_AT_A_TIME = 2_000


def make_due() -> int:
    """Make the digests whose hour has come; returns how many. Two of these share the work, never a held message."""
    due = (
        select(Message)
        .where(Message.state == MessageState.HELD, Message.due_at <= clock.now())
        .order_by(Message.due_at, Message.id)
        .limit(HELD_AT_A_TIME)
        .with_for_update(skip_locked=True, of=Message)
    )
    held = list(db.session.scalars(due))
    people = readers({message.person_id for message in held if message.person_id}) if held else {}
    piles: dict[tuple[int, str], list[Message]] = defaultdict(list)
    for message in held:
        reader = people.get(message.person_id or 0)
        if reader is None or reader.choice(Kind(message.kind), Channel(message.channel)) is Choice.OFF:
            message.state, message.finished_at = MessageState.DROPPED, clock.now()
            message.answer = "They left, or do not want these any more."
        else:
            piles[reader.id, message.channel].append(message)
    notices = _notices(held)
    for (person_id, channel), pile in piles.items():
        _make(people[person_id], Channel(channel), pile, notices)
    db.session.flush()
    return len(piles)


def _notices(held: Sequence[Message]) -> dict[int, mailing.Entry]:
    keys = [message.notification_id for message in held if message.notification_id]
    found = db.session.scalars(select(Notification).where(Notification.id.in_(keys)))
    return {notice.id: mailing.entry_of(notice) for notice in found}


def _make(reader: Reader, channel: Channel, pile: list[Message], notices: dict[int, mailing.Entry]) -> None:
    entries = [
        notices.get(one.notification_id or 0) or mailing.Entry(one.kind, one.subject, one.text)
        for one in pile
    ]
    is_mail = channel is Channel.EMAIL
    kinds = [one.kind for one in pile]
    content = mailing.digest(
        entries, channel, mailing.unsubscribe_address(reader.id, kinds) if is_mail else None
    )
    state = MessageState.WAITING if planning.mail_is_sent() or not is_mail else MessageState.KEPT
    row = planning.blank(channel, DIGEST, content, state, clock.now())
    row |= {"person_id": reader.id, "address": reader.email if is_mail else reader.chat_shown}
    digest_id = db.session.scalar(insert(Message).values(**row).returning(Message.id))
    keys = [one.id for one in pile]
    told = update(Message).where(Message.id.in_(keys))
    ended = {"state": MessageState.IN_DIGEST, "digest_id": digest_id, "finished_at": clock.now()}
    db.session.execute(told.values(**ended))
