"""From notices to messages: who is told by which channel and when, decided for thousands in a few statements."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as insert_or_skip

from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.trace import known_request_id
from app.notifications import mailing
from app.notifications.hours import end_of_quiet, next_digest
from app.notifications.mailing import Entry
from app.notifications.message_models import Message, MessageState
from app.notifications.models import Kind
from app.notifications.preference_models import Channel, ChatChannel, Choice
from app.notifications.preferences import URGENT, Reader, readers

ROWS_AT_A_TIME = 2_000
SEND_DUE = "app.notifications.jobs.send_due"


def mail_is_sent() -> bool:
    """Whether there is a server to hand mails to; without one they are kept, to be read in the portal."""
    return bool(current_app.config["SMTP"].host)


def plan(notices: Sequence[Any]) -> None:
    """Write the messages of notices that were just left: for each person by each channel, for each chat channel."""
    if not notices:
        return
    people = readers([notice.person_id for notice in notices])
    now = clock.now()
    rows = [row for notice in notices for row in _rows_of(notice, people.get(notice.person_id), now)]
    put_in(rows)
    posted = _post_in_channels(notices, now)
    wake_if(posted or any(_leaves_now(row, now) for row in rows))


def put_in(rows: Sequence[dict[str, Any]]) -> None:
    """Write messages, some thousand a statement."""
    if rows:
        options = {"insertmanyvalues_page_size": ROWS_AT_A_TIME}
        db.session.execute(insert(Message), rows, execution_options=options)


def wake_if(there_is_work: bool, delay: Any = None) -> None:  # noqa: FBT001 - it reads as what it is
    """Let a worker look at the queue after the commit; once a transaction, however much was planned in it."""
    promised = any(isinstance(row, outbox.OutboxMessage) and row.job == SEND_DUE for row in db.session.new)
    if there_is_work and not promised:
        outbox.enqueue("app.notifications.jobs.send_due", queue=outbox.MESSAGES, delay=delay)


def _leaves_now(row: dict[str, Any], now: datetime) -> bool:
    return row["state"] == MessageState.WAITING and row["due_at"] <= now


def _rows_of(notice: Any, reader: Reader | None, now: datetime) -> Iterator[dict[str, Any]]:
    """None for somebody who left, or who turned the kind off."""
    if reader is None:
        return
    kind = Kind(notice.kind)
    for channel in Channel:
        choice = reader.choice(kind, channel)
        if choice is Choice.OFF:
            continue
        entry = mailing.entry_of(notice)
        if choice is Choice.DIGEST:
            # What is in a digest is read from its notices when it is made.
            content = mailing.Content(mailing.one_line(notice.title), notice.body or "")
            state, due_at = MessageState.HELD, next_digest(now, reader.digest_hour)
        else:
            content = mailing.single(entry, channel)
            state, due_at = _at_once(channel), now
            quiet = None if kind in URGENT else end_of_quiet(now, reader.quiet_from, reader.quiet_until)
            due_at = quiet or now
        yield {
            **blank(channel, kind, content, state, due_at),
            "person_id": reader.id,
            "notification_id": notice.id,
            "cause": notice.cause,
            "address": reader.email if channel is Channel.EMAIL else reader.chat_shown,
        }


def _at_once(channel: Channel) -> MessageState:
    kept = channel is Channel.EMAIL and not mail_is_sent()
    return MessageState.KEPT if kept else MessageState.WAITING


def blank(
    channel: Channel, kind: str, content: mailing.Content, state: MessageState, due_at: datetime
) -> dict[str, Any]:
    """The columns that every message has; the same ones each time, or a bulk insert would be several."""
    return {
        "person_id": None,
        "chat_channel_id": None,
        "notification_id": None,
        "cause": None,
        "channel": channel.value,
        "kind": str(kind),
        "subject": content.subject,
        "text": content.text,
        "html": content.html,
        "message_id": mailing.new_message_id(),
        "state": state.value,
        "due_at": due_at,
        "finished_at": clock.now() if state is MessageState.KEPT else None,
        "request_id": known_request_id(),
    }


def _post_in_channels(notices: Sequence[Any], now: datetime) -> bool:
    """One message a channel for what was left to several people; a cause that was posted there is not posted again."""
    channels = db.session.execute(
        select(ChatChannel.id, ChatChannel.kinds, ChatChannel.shown).where(ChatChannel.active)
    ).all()
    rows = []
    for channel in channels:
        about = [notice for notice in notices if notice.kind in channel.kinds]
        for notice, entry in _merged(about):
            content = mailing.single(entry, Channel.CHAT)
            row = blank(Channel.CHAT, notice.kind, content, MessageState.WAITING, now)
            row |= {"chat_channel_id": channel.id, "notification_id": notice.id, "cause": notice.cause}
            rows.append({**row, "address": channel.shown})
    if rows:
        db.session.execute(insert_or_skip(Message).on_conflict_do_nothing(), rows)
    return bool(rows)


def _merged(notices: Iterable[Any]) -> Iterator[tuple[Any, Entry]]:
    """What several people were told of the same is told once, with the lines of all of them."""
    same: dict[Any, list[Any]] = {}
    for notice in notices:
        same.setdefault(notice.cause or (notice.title, notice.href), []).append(notice)
    for told in same.values():
        first = mailing.entry_of(told[0])
        lines = {item["text"]: item for notice in told for item in notice.items or ()}
        yield told[0], Entry(first.kind, first.title, first.body, first.href, tuple(lines.values()))
