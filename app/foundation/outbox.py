"""What must happen later is a row in the transaction that decided it; Redis only carries its number.

A row is offered to RQ right after the commit and leased for `LEASE_SECONDS`. What got lost on the way (Redis gone,
a worker killed) is offered again by `sweep`, each time with twice the lease. `perform` locks the row, runs the job
and marks the row done in one transaction, so an effect in the database happens exactly once.
"""

import logging
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from flask import has_request_context
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import DuplicateJobError
from sqlalchemy import DateTime, Index, Text, event, false, inspect, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.foundation import clock, redis_client
from app.foundation.database import Model, db, one_of
from app.foundation.scoping import row_rule, unscoped
from app.foundation.trace import request_id
from app.foundation.viewer import Viewer

log = logging.getLogger(__name__)

LEASE_SECONDS = 30
LONGEST_LEASE = timedelta(hours=1)
MOST_ATTEMPTS = 10
SWEEP_BATCH = 500
KEPT = {"result_ttl": 0, "failure_ttl": 3600}
# Work that takes minutes has a queue of its own, which a worker looks at when there is nothing else. So has what waits for
# other systems: one that is slow holds up nobody's tasks.
DEFAULT, LONG, MESSAGES = "default", "long", "messages"
SECONDS = {DEFAULT: 60, LONG: 900, MESSAGES: 60}


class OutboxState(StrEnum):
    """Where a message stands."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class OutboxMessage(Model):
    """One call of one job, promised in the transaction that decided it."""

    __tablename__ = "outbox"
    __audit__ = False
    __generated__ = ("job", "queue", "state", "last_error", "request_id")
    __table_args__ = (
        one_of("state", OutboxState),
        Index("ix_outbox_due", "due_at", postgresql_where="state = 'waiting'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(Text)
    arguments: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    queue: Mapped[str] = mapped_column(Text, default=DEFAULT)
    state: Mapped[str] = mapped_column(Text, default=OutboxState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
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
        request_id=request_id() if has_request_context() else None,
    )
    db.session.add(message)
    return message


def lease(attempt: int) -> timedelta:
    """How long a row that was offered for the nth time is left to its worker: 30 s, doubled each time."""
    return min(timedelta(seconds=LEASE_SECONDS * 2 ** min(attempt, 10)), LONGEST_LEASE)


def sweep() -> int:
    """Offer every row that is due again, and say how many. Two sweepers share the work, never a row."""
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
    for message in messages:
        message.due_at = now + lease(message.attempts)
        message.attempts += 1
    offers = [(message.id, message.attempts, message.queue) for message in messages]
    db.session.commit()
    offer(offers)
    return len(offers)


def offer(offers: list[tuple[int, int, str]]) -> None:
    """Hand rows (id, attempt, queue) to RQ. A Redis that can't take them is no fault: the sweeper comes again."""
    try:
        for key, attempt, queue in offers:
            with suppress(DuplicateJobError):
                Queue(queue, connection=redis_client.quick()).enqueue(
                    "app.foundation.jobs.perform",
                    key,
                    job_id=f"outbox-{key}-{attempt}",
                    unique=True,
                    job_timeout=SECONDS.get(queue, SECONDS[DEFAULT]),
                    **KEPT,
                )
    except (RedisError, OSError) as error:
        log.warning(
            "Redis took no work (%s); %d rows wait for the sweeper", type(error).__name__, len(offers)
        )


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
