"""Sending what is due. The table is the queue: one message at a time is claimed (commit), sent, recorded (commit).

Nothing is sent inside a transaction. Whose worker died between the claim and the record is not sent again by itself: it
may have arrived, says so, and waits for an Admin. So each message arrives once, or is seen not to have.
"""

import time
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from flask import current_app
from sqlalchemy import select, update

from app.directory.models import Person
from app.foundation import clock
from app.foundation.backoff import wait_after
from app.foundation.database import db
from app.foundation.sealing import Unreadable, unseal
from app.notifications import chat, mailing, outcomes, planning
from app.notifications.mail import Letter, Postman
from app.notifications.message_models import DIGEST, Message, MessageState
from app.notifications.outcomes import Outcome, Verdict
from app.notifications.preference_models import Channel, ChatChannel
from app.notifications.preferences import settings_of

DRAIN_SECONDS = 25
# Longer than the slowest server may take over one message.
LOST_AFTER = timedelta(minutes=3)
MAY_HAVE_ARRIVED = "The worker ended while it was sending this. It may have arrived."


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is sent, read before the claim is committed. `chat_url` is unsealed for this one attempt only."""

    id: int
    channel: Channel
    letter: Letter | None = None
    chat_url: str = ""
    subject: str = ""
    text: str = ""
    fault: str = ""


class Carriers(AbstractContextManager["Carriers"]):
    """One connection to the mail server for all mails of a drain, opened at the first."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._postman: Postman | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def carry(self, envelope: Envelope) -> Outcome:
        """By the channel that it is for."""
        if envelope.fault:
            return outcomes.never(envelope.fault)
        if envelope.letter is None:
            return chat.post(envelope.chat_url, envelope.subject, envelope.text)
        if self._postman is None:
            self._postman = self._open.enter_context(Postman(current_app.config["SMTP"]))
        return self._postman.carry(envelope.letter)


def drain(seconds: float = DRAIN_SECONDS) -> tuple[int, bool]:
    """Send what is due: how many messages were tried, and whether the time was over before the work. Commits."""
    channels, ends, tried = set(Channel), time.monotonic() + seconds, 0
    with Carriers() as carriers:
        while channels and time.monotonic() < ends:
            envelope = claim_next(channels)
            db.session.commit()
            if envelope is None:
                return tried, False
            outcome = carriers.carry(envelope)
            record(envelope.id, outcome)
            db.session.commit()
            tried += 1
            if outcome.for_all:
                # The others wait for the next minute instead of each finding out by itself.
                channels.discard(envelope.channel)
    return tried, bool(channels)


def claim_next(channels: set[Channel]) -> Envelope | None:
    """Take the message that has waited longest; two drains never take the same."""
    while True:
        due = (
            select(Message)
            .where(Message.state == MessageState.WAITING, Message.due_at <= clock.now())
            .where(Message.channel.in_(sorted(channels)))
            .order_by(Message.due_at, Message.id)
            .limit(1)
            .with_for_update(skip_locked=True, of=Message)
        )
        message = db.session.scalar(due)
        if message is None:
            return None
        if (envelope := claim(message)) is not None:
            return envelope


def claim(message: Message) -> Envelope | None:
    """Mark a locked message as being sent. None for one that is not to be sent any more: its person left, say."""
    if message.channel == Channel.EMAIL and not planning.mail_is_sent():
        message.state, message.finished_at = MessageState.KEPT, clock.now()
        return None
    person = db.session.get(Person, message.person_id) if message.person_id else None
    if person is not None and not person.active:
        drop(message, f"{person.name} has left.")
        return None
    sealed = None
    if message.channel == Channel.CHAT:
        sealed = _sealed_address(message)
        if sealed is None:
            drop(message, "There is no chat address any more.")
            return None
    message.state, message.claimed_at = MessageState.SENDING, clock.now()
    message.attempts += 1
    return _post(message, sealed) if sealed else _letter(message, person)


def drop(message: Message, why: str) -> None:
    """It is not needed any more."""
    message.state, message.answer, message.finished_at = MessageState.DROPPED, why, clock.now()


def unsubscribe_of(digest: Message) -> str | None:
    """The address that ends mails of the kinds that are in a digest."""
    kinds = db.session.scalars(select(Message.kind).where(Message.digest_id == digest.id).distinct())
    return mailing.unsubscribe_address(digest.person_id, list(kinds)) if digest.person_id else None


def _letter(message: Message, person: Person | None) -> Envelope:
    letter = Letter(
        to_name=person.name if person else "",
        to=message.address,
        subject=message.subject,
        text=message.text,
        html=message.html,
        message_id=message.message_id,
        date=message.created_at,
        unsubscribe=unsubscribe_of(message) if message.kind == DIGEST else None,
        request_id=message.request_id,
    )
    return Envelope(message.id, Channel.EMAIL, letter)


def _post(message: Message, sealed: bytes) -> Envelope:
    try:
        url = unseal(sealed)
    except Unreadable as error:
        return Envelope(message.id, Channel.CHAT, fault=str(error))
    return Envelope(message.id, Channel.CHAT, chat_url=url, subject=message.subject, text=message.text)


def _sealed_address(message: Message) -> bytes | None:
    """The address of now: whoever corrected theirs wants messages there."""
    if message.chat_channel_id:
        channel = db.session.get(ChatChannel, message.chat_channel_id)
        return channel.address if channel else None
    settings = settings_of(message.person_id) if message.person_id else None
    return settings.chat_address if settings else None


def record(key: int, outcome: Outcome) -> None:
    """What came of an attempt. Whoever gave the message up meanwhile is corrected by what really happened."""
    message = db.session.scalar(select(Message).where(Message.id == key).with_for_update())
    if message is None:
        return
    now = clock.now()
    wait = wait_after(message.attempts) if outcome.verdict is Verdict.AGAIN else None
    message.state = {
        Verdict.SENT: MessageState.SENT,
        Verdict.AGAIN: MessageState.WAITING if wait else MessageState.DEAD,
        Verdict.NEVER: MessageState.DEAD,
        Verdict.UNKNOWN: MessageState.FAILED,
    }[outcome.verdict]
    message.finished_at = None if wait else now
    if wait:
        message.due_at = now + wait
    _note(message, outcome, now)
    message.claimed_at = None


def _note(message: Message, outcome: Outcome, now: datetime) -> None:
    begun = message.claimed_at or now
    attempt = {
        "at": begun.isoformat(),
        "ms": round((now - begun).total_seconds() * 1000),
        "verdict": outcome.verdict.value,
        "answer": outcome.answer,
    }
    message.answer, message.history = outcome.answer, [*message.history, attempt]


def give_up_lost() -> int:
    """Messages whose worker died over them: failed, because they may have arrived. Returns how many."""
    lost = (
        select(Message)
        .where(Message.state == MessageState.SENDING, Message.claimed_at < clock.now() - LOST_AFTER)
        .with_for_update(skip_locked=True)
    )
    found = list(db.session.scalars(lost))
    for message in found:
        _note(message, outcomes.unknown(MAY_HAVE_ARRIVED), clock.now())
        message.state, message.claimed_at = MessageState.FAILED, None
        message.finished_at = clock.now()
    return len(found)


def keep_waiting_mail() -> None:
    """Without a mail server nothing waits: what was planned before it was taken away is kept too."""
    if not planning.mail_is_sent():
        waiting = update(Message).where(
            Message.state == MessageState.WAITING, Message.channel == Channel.EMAIL
        )
        db.session.execute(waiting.values(state=MessageState.KEPT, finished_at=clock.now()))


def there_is_work() -> bool:
    """Whether something is due, or was left half done."""
    waits = Message.state.in_([MessageState.WAITING, MessageState.HELD]) & (Message.due_at <= clock.now())
    lost = (Message.state == MessageState.SENDING) & (Message.claimed_at < clock.now() - LOST_AFTER)
    return any(db.session.scalar(select(Message.id).where(rule).limit(1)) for rule in (waits, lost))
