"""What people do with messages by hand: send one again, send a test; and what Admins are told of those that died."""

from datetime import datetime, time

from sqlalchemy import delete, func, insert, select, update

from app.audit import recorder
from app.foundation import clock
from app.foundation.backoff import WAITS
from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput
from app.foundation.scoping import unscoped
from app.notifications import delivery, mailing, planning
from app.notifications import operations as notifications
from app.notifications.message_models import REPLAYABLE, TEST, Message, MessageState
from app.notifications.preference_models import Channel, ChatChannel
from app.notifications.preferences import readers

NO_SERVER = "There is no mail server yet: set SMTP_HOST, then send it."
UNDELIVERED = (MessageState.DEAD, MessageState.FAILED)


def replay(message: Message) -> None:
    """Send a message again, under the same Message-ID, to the address its person has now."""
    db.session.refresh(message, with_for_update={"of": Message})
    if not message.is_replayable:
        raise Conflict("Only a message that was not delivered can be sent again.")
    if message.channel == Channel.EMAIL and not planning.mail_is_sent():
        raise Conflict(NO_SERVER)
    if message.channel == Channel.EMAIL and message.person:
        message.address = message.person.email
    message.state, message.due_at, message.attempts = MessageState.WAITING, clock.now(), 0
    message.finished_at = None
    recorder.record(
        "message.replay", target_type="message", target_id=str(message.id), target_label=message.subject[:200]
    )
    planning.wake_if(True)
    db.session.flush()


def replay_all(state: str) -> int:
    """Send all messages of a state again; says how many."""
    if state not in REPLAYABLE:
        raise InvalidInput(state="Choose failed, dead or kept.")
    rule = Message.state == state
    if not planning.mail_is_sent():
        if state == MessageState.KEPT:
            raise Conflict(NO_SERVER)
        rule &= Message.channel != Channel.EMAIL
    again = update(Message).where(rule)
    values = {"state": MessageState.WAITING, "due_at": clock.now(), "attempts": 0, "finished_at": None}
    count = len(db.session.execute(again.values(**values).returning(Message.id)).all())
    if count:
        recorder.record(
            "message.replay_all", target_type="message", target_label=f"{count} messages that were {state}"
        )
        planning.wake_if(True)
    return count


def send_test(person_id: int, channel: Channel) -> Message:
    """Send somebody a test now, and say what the server answered. Commits: nothing is sent inside a transaction."""
    reader = readers([person_id]).get(person_id)
    if reader is None or (channel is Channel.CHAT and not reader.chat_shown):
        raise Conflict("Give a chat address first, and save it.")
    row = _test_row(channel, reader.email if channel is Channel.EMAIL else reader.chat_shown)
    return _carry_now({**row, "person_id": reader.id})


def send_test_to(channel: ChatChannel) -> Message:
    """Post a test in a chat channel of the company. Commits."""
    return _carry_now({**_test_row(Channel.CHAT, channel.shown), "chat_channel_id": channel.id})


def _test_row(channel: Channel, address: str | None) -> dict[str, object]:
    content = mailing.test_message(channel)
    return {
        **planning.blank(channel, TEST, content, MessageState.WAITING, clock.now()),
        "address": address,
        "attempts": len(WAITS),
    }


def _carry_now(row: dict[str, object]) -> Message:
    """Tried once: a test that fails says so and is not tried again. Its sender sees this message, and no other."""
    with unscoped():
        key = db.session.scalar(insert(Message).values(**row).returning(Message.id))
        message = db.session.get_one(Message, key)
        envelope = delivery.claim(message)
        db.session.commit()
        if envelope is not None:
            with delivery.Carriers() as carriers:
                outcome = carriers.carry(envelope)
            delivery.record(envelope.id, outcome)
            db.session.commit()
    return message


def tell_of_dead_letters() -> None:
    """Tell the Admins, once a day at most, that messages of today were not delivered."""
    midnight = datetime.combine(clock.today(), time(), clock.zone())
    undelivered = select(func.count()).where(
        Message.state.in_(UNDELIVERED), Message.finished_at >= midnight, Message.kind != TEST
    )
    count = db.session.scalar(undelivered)
    if not count:
        return
    title = "A message was not delivered" if count == 1 else f"{count} messages were not delivered"
    notifications.tell_admins(
        title,
        "The log of messages says what the server answered, and sends them again.",
        href="/messages/?state=dead",
        cause=f"messages:undelivered:{clock.today()}",
    )


def forget_ended(before: datetime) -> int:
    """Delete messages that ended before a moment; says how many."""
    ended = delete(Message).where(Message.finished_at < before).returning(Message.id)
    return len(db.session.execute(ended).all())
