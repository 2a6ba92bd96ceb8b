"""What the tables say, each question one statement that finds its rows by index: work that was done is not counted."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from flask import current_app
from sqlalchemy import ARRAY, Text, case, func, literal, literal_column, select, union_all

from app.audit.models import AuditEntry
from app.foundation import outbox, ticking
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import RunState, ScheduledRun
from app.notifications.message_models import Message, MessageState
from app.notifications.preference_models import Channel
from app.webhooks.models import DeliveryState, WebhookDelivery

Counts = dict[tuple[str, ...], float]
SIGN_IN_FAILED = "auth.login_failed"
UNDELIVERED = (
    MessageState.WAITING,
    MessageState.HELD,
    MessageState.SENDING,
    MessageState.FAILED,
    MessageState.DEAD,
)
_counting = Lock()


def promised_work(now: datetime) -> tuple[Counts, Counts]:
    """By queue and state, and the age of the oldest by queue (seconds).

    `retrying` was begun before. Work that is promised for later is none yet.
    """
    state = case((OutboxMessage.begun > 0, "retrying"), else_="waiting")
    waiting = (
        select(
            OutboxMessage.queue,
            state.label("state"),
            func.count().label("count"),
            func.min(OutboxMessage.created_at).label("oldest"),
        )
        .where(OutboxMessage.state == OutboxState.WAITING, OutboxMessage.attempts > 0)
        .group_by(OutboxMessage.queue, state)
    )
    dead: Any = (
        select(OutboxMessage.queue, literal("dead"), func.count(), literal_column("NULL::timestamptz"))
        .where(OutboxMessage.state == OutboxState.DEAD)
        .group_by(OutboxMessage.queue)
    )
    counts: Counts = {(queue, one): 0 for queue in outbox.SECONDS for one in ("waiting", "retrying", "dead")}
    ages: Counts = {(queue,): 0 for queue in outbox.SECONDS}
    for queue, name, count, oldest in db.session.execute(union_all(waiting, dead)):
        counts[queue, name] = count
        if oldest:
            ages[queue,] = max(ages.get((queue,), 0), (now - oldest).total_seconds())
    return counts, ages


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest slot of a job that was taken up."""

    slot: datetime
    has_failed: bool


def last_runs() -> dict[str, LastRun]:
    """By job of the schedule."""
    jobs = [one.job for one in ticking.schedule()]
    names = func.unnest(literal(jobs, ARRAY(Text))).table_valued("job").render_derived("names")
    newest = (
        select(ScheduledRun.slot, ScheduledRun.state)
        .where(ScheduledRun.job == names.c.job)
        .order_by(ScheduledRun.slot.desc())
        .limit(1)
        .lateral()
    )
    query = select(names.c.job, newest.c.slot, newest.c.state).join(newest, literal(True))
    return {job: LastRun(slot, state == RunState.FAILED) for job, slot, state in db.session.execute(query)}


def failed_runs() -> dict[str, int]:
    """By job."""
    query = select(ScheduledRun.job, func.count()).where(ScheduledRun.state == RunState.FAILED)
    return {row[0]: row[1] for row in db.session.execute(query.group_by(ScheduledRun.job))}


def failed_sign_ins() -> int:
    """Since the log began. What was counted once is not counted again: the log only grows."""
    kept: dict[str, tuple[int, int]] = current_app.extensions.setdefault("failed_sign_ins", {})
    with _counting:
        upto, count = kept.get("", (0, 0))
        newest = select(func.coalesce(func.max(AuditEntry.id), 0)).scalar_subquery()
        fresh = select(func.count()).where(
            AuditEntry.action == SIGN_IN_FAILED, AuditEntry.id > upto, AuditEntry.id <= newest
        )
        end, more = db.session.execute(select(newest, fresh.scalar_subquery())).one()
        kept[""] = (end, count + more)
        return kept[""][1]


def messages() -> Counts:
    """Mails and chat messages that have not arrived, by channel and state."""
    query = select(Message.channel, Message.state, func.count()).where(Message.state.in_(UNDELIVERED))
    counts: Counts = {(channel.value, state.value): 0 for channel in Channel for state in UNDELIVERED}
    rows = db.session.execute(query.group_by(Message.channel, Message.state))
    return counts | {(channel, state): count for channel, state, count in rows}


def webhook_deliveries(now: datetime) -> tuple[Counts, float]:
    """Those that have not arrived, by state, and how long the oldest has been due (seconds)."""

    def of(state: DeliveryState) -> Any:
        oldest = func.min(WebhookDelivery.due_at)
        return select(literal(state.value), func.count(), oldest).where(WebhookDelivery.state == state)

    both = union_all(of(DeliveryState.WAITING), of(DeliveryState.FAILED))
    found = {state: (count, oldest) for state, count, oldest in db.session.execute(both)}
    due_at = found[DeliveryState.WAITING][1]
    late = max(0.0, (now - due_at).total_seconds()) if due_at else 0.0
    return {(state,): count for state, (count, _) in found.items()}, late
