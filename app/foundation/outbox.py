"""What must happen later is a row in the transaction that decided it; Redis only carries its number.

A row is offered to RQ right after the commit and leased for `LEASE_SECONDS`. What got lost on the way (Redis gone,
a worker killed) is offered again by `sweep`; what still stands in a queue is not. `perform` counts the attempt, then
locks the row, runs the job and marks the row done in one transaction, so an effect in the database happens exactly
once. After each attempt the lease is twice as long.

What was begun `MOST_ATTEMPTS` times is a dead letter, whether it failed or took its worker along each time. An offer
that no worker took up is no attempt: work that waits for hours is late, not dead.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Index, Text, event, false, inspect, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.foundation import clock
from app.foundation.courier import DEFAULT, LONG, MESSAGES, SECONDS, in_queues, offer, offer_id
from app.foundation.database import Model, db, one_of
from app.foundation.errors import Conflict
from app.foundation.scoping import row_rule, unscoped
from app.foundation.trace import known_request_id
from app.foundation.viewer import Viewer

log = logging.getLogger(__name__)

LEASE_SECONDS = 30
LONGEST_LEASE = timedelta(hours=1)
MOST_ATTEMPTS = 10
SWEEP_BATCH, SWEEP_BATCHES = 500, 20
WORKER_ENDED = "Its worker ended, or lost the database, before the work was done."

__all__ = ["DEFAULT", "LONG", "MESSAGES", "SECONDS", "offer"]


class OutboxState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class OutboxMessage(Model):
    """One call of one job, promised in the transaction that decided it.

    `attempts` is how often it was offered to a worker, `begun` how often one took it up.
    """

    __tablename__ = "outbox"
    __audit__ = False
    __table_args__ = (
        one_of("state", OutboxState),
        Index("ix_outbox_due", "due_at", postgresql_where="state = 'waiting'"),
        Index("ix_outbox_dead", "id", postgresql_where="state = 'dead'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(Text)
    arguments: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    queue: Mapped[str] = mapped_column(Text, default=DEFAULT)
    state: Mapped[str] = mapped_column(Text, default=OutboxState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    begun: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_error: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)


@row_rule(OutboxMessage)
def _admins_only(_viewer: Viewer) -> Any:
    return false()


def enqueue(job: str, *arguments: Any, queue: str = DEFAULT, delay: timedelta | None = None) -> OutboxMessage:
    """Promise a call of the job with this dotted name; it is offered to a worker after the commit."""
    wait = delay or timedelta()
    message = OutboxMessage(
        job=job,
        arguments=list(arguments),
        queue=queue,
        attempts=0 if delay else 1,
        due_at=clock.now() + (wait or timedelta(seconds=LEASE_SECONDS)),
        request_id=known_request_id(),
    )
    db.session.add(message)
    return message


def lease(attempt: int) -> timedelta:
    """How long a row is left to its worker after n attempts: 30 s, doubled each time."""
    return min(timedelta(seconds=LEASE_SECONDS * 2 ** min(attempt, 10)), LONGEST_LEASE)


Hook = Callable[[OutboxMessage], None]
_on_begin: dict[str, Hook] = {}
_on_failure: dict[str, Hook] = {}


def on_begin(job: str) -> Callable[[Hook], Hook]:
    """Call this whenever the job is begun, in a transaction that is committed before the work starts."""

    def keep(hook: Hook) -> Hook:
        return _on_begin.setdefault(job, hook)

    return keep


def on_failure(job: str) -> Callable[[Hook], Hook]:
    """Call this whenever the job failed; `state` says whether that was the last attempt, `last_error` why."""

    def keep(hook: Hook) -> Hook:
        return _on_failure.setdefault(job, hook)

    return keep


def begin(message: OutboxMessage) -> None:
    """Count an attempt; from now on the lease follows what was begun."""
    message.begun += 1
    message.due_at = clock.now() + lease(message.begun - 1)
    if hook := _on_begin.get(message.job):
        hook(message)


def fail(message: OutboxMessage, error: str) -> None:
    """Say what went wrong; the sweeper tries again when the lease is over, until the row is a dead letter."""
    message.last_error = error[:2000]
    message.due_at = clock.now() + lease(message.begun - 1)
    if message.begun >= MOST_ATTEMPTS:
        message.state, message.finished_at = OutboxState.DEAD, clock.now()
        log.error("outbox row %s (%s) is a dead letter", message.id, message.job)
    if hook := _on_failure.get(message.job):
        hook(message)


def sweep() -> int:
    """Offer every row that is due again, and say how many. Two sweepers share the work, never a row."""
    offered, queued = 0, in_queues(SECONDS)
    for _ in range(SWEEP_BATCHES):
        due, offers = _lost(queued)
        offer(offers)
        offered += len(offers)
        if due < SWEEP_BATCH:
            break
    return offered


def _lost(queued: set[str]) -> tuple[int, list[tuple[int, int, str]]]:
    """How many of a batch were due, and the offers to make again: of those that are not queued. Commits.

    A row that is being worked on is locked, so one that is not, and was begun as often as it may be, lost its worker.
    """
    now = clock.now()
    with unscoped():
        due = (
            select(OutboxMessage)
            .where(OutboxMessage.state == OutboxState.WAITING, OutboxMessage.due_at <= now)
            .order_by(OutboxMessage.due_at)
            .limit(SWEEP_BATCH)
            .with_for_update(skip_locked=True)
        )
        messages = list(db.session.scalars(due))
        lost = []
        for message in messages:
            message.due_at = now + timedelta(seconds=LEASE_SECONDS)
            if message.begun >= MOST_ATTEMPTS:
                fail(message, WORKER_ENDED)
            elif offer_id(message.id, message.attempts) not in queued:
                message.attempts += 1
                lost.append((message.id, message.attempts, message.queue))
        db.session.commit()
    return len(messages), lost


def try_again(message: OutboxMessage) -> None:
    """Give a dead letter all its attempts anew; the next sweep offers it. Conflict if it is none."""
    if _revive(OutboxMessage.id == message.id) == 0:
        raise Conflict("This is no dead letter any more.")


def try_all_again() -> int:
    """Give every dead letter its attempts anew, and say how many there are."""
    return _revive()


def _revive(*rules: Any) -> int:
    """`attempts` goes on counting: it is part of what RQ knows an offer by."""
    dead = update(OutboxMessage).where(OutboxMessage.state == OutboxState.DEAD, *rules)
    fresh = {"state": OutboxState.WAITING, "begun": 0, "due_at": clock.now(), "finished_at": None}
    revived: int = db.session.execute(dead.values(fresh)).rowcount  # type: ignore[attr-defined]
    return revived


@event.listens_for(db.session, "after_flush")
def _collect(session: Session, _context: Any) -> None:
    fresh = [row for row in session.new if isinstance(row, OutboxMessage) and row.attempts == 1]
    noted = [(row, (row.id, row.attempts, row.queue)) for row in fresh]
    session.info.setdefault("to_offer", []).extend(noted)


@event.listens_for(db.session, "after_commit")
def _offer_collected(session: Session) -> None:
    """A row that went with a savepoint is none any more."""
    if session.in_nested_transaction():
        return
    offers = [noted for row, noted in session.info.pop("to_offer", []) if inspect(row).persistent]
    if offers:
        offer(offers)


@event.listens_for(db.session, "after_rollback")
def _forget_collected(session: Session) -> None:
    """A savepoint rolled back takes back nothing that was promised before it; an offer too many is harmless."""
    if not session.in_nested_transaction():
        session.info.pop("to_offer", None)
