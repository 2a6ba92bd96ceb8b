"""Periodic jobs: rq-scheduler ticks, PostgreSQL decides. A slot is run once, whoever ticks and how often.

`UNIQUE(job, slot)` makes two schedulers harmless; after downtime only the latest slot is caught up; a slot is a local
time, so both clock changes come out right. A paused job promises nothing, and catches up once when it goes on.
"""

import logging
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, Text, UniqueConstraint, false, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import clock, outbox
from app.foundation.cadences import Cadence
from app.foundation.cadences import Daily as Daily  # noqa: PLC0414 - part of what a schedule is written with
from app.foundation.cadences import Every as Every  # noqa: PLC0414
from app.foundation.cadences import Weekday as Weekday  # noqa: PLC0414
from app.foundation.database import Model, db, one_of
from app.foundation.jobs import job, resolve
from app.foundation.outbox import OutboxMessage
from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer

log = logging.getLogger(__name__)

RUN_SLOT = "app.foundation.ticking.run_slot"


class RunState(StrEnum):
    """Where a run stands. A failed one is tried again by the outbox until that gives up."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class RunTrigger(StrEnum):
    """What began a run: its time came, or somebody asked for it."""

    SCHEDULE = "schedule"
    PERSON = "person"


class ScheduledRun(Model):
    """One slot of one periodic job, and what came of it. The slot of a run that somebody asked for is that moment.

    `started_at`, `finished_at` and `error` are of the latest attempt; `message_id` is the promise in the outbox.
    """

    __tablename__ = "scheduled_runs"
    __audit__ = False
    __table_args__ = (
        one_of("state", RunState),
        one_of("trigger", RunTrigger),
        UniqueConstraint(
            "job",
            "slot",
            name="uq_scheduled_runs_job_slot",
            info={"field": "slot", "message": "This slot was promised already."},
        ),
        Index("ix_scheduled_runs_job_id", "job", "id"),
        Index("ix_scheduled_runs_failed", "job", "id", postgresql_where="state = 'failed'"),
        Index("ix_scheduled_runs_message_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    job: Mapped[str] = mapped_column(Text)
    slot: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    state: Mapped[str] = mapped_column(Text, default=RunState.WAITING)
    trigger: Mapped[str] = mapped_column(Text, default=RunTrigger.SCHEDULE)
    asked_by: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    result: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id", ondelete="SET NULL"))

    @property
    def duration(self) -> timedelta | None:
        """How long the latest attempt took."""
        return self.finished_at - self.started_at if self.started_at and self.finished_at else None

    def __repr__(self) -> str:
        return f"{self.name}, {clock.local(self.slot):%-d %b %Y, %H:%M}"


class JobPause(Model):
    """A periodic job that promises no slots until somebody resumes it."""

    __tablename__ = "job_pauses"
    __audit__ = False

    job: Mapped[str] = mapped_column(Text, primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    paused_by: Mapped[str] = mapped_column(Text)


@row_rule(ScheduledRun)
@row_rule(JobPause)
def _admins_only(_viewer: Viewer) -> Any:
    return false()


@dataclass(frozen=True, slots=True)
class Periodic:
    """A periodic job: what people call it, the job's dotted name, when, what it does, and the queue it waits in."""

    name: str
    job: str
    cadence: Cadence
    does: str = ""
    queue: str = outbox.DEFAULT


_table: list[Periodic] = []


def install(table: list[Periodic]) -> None:
    """Make this the schedule."""
    _table[:] = table


def schedule() -> list[Periodic]:
    """Every periodic job."""
    return list(_table)


def pauses() -> dict[str, JobPause]:
    """What is paused, by job."""
    return {pause.job: pause for pause in db.session.scalars(select(JobPause))}


def unpromised(now: datetime, paused: Container[str]) -> dict[tuple[str, datetime], Periodic]:
    """The latest slot (job, when) of each job that nobody has promised yet, paused jobs left out."""
    zone = clock.zone()
    come = {(one.job, one.cadence.last_slot(now, zone)): one for one in _table if one.job not in paused}
    known = select(ScheduledRun.job, ScheduledRun.slot).where(
        tuple_(ScheduledRun.job, ScheduledRun.slot).in_(list(come))
    )
    for job_name, slot in db.session.execute(known):
        come.pop((job_name, slot), None)
    return come


def tick() -> int:
    """Promise every slot that has come and that nobody has promised yet; returns how many. Commits."""
    come = unpromised(clock.now(), pauses())
    promised = sum(promise(periodic, slot) is not None for (_, slot), periodic in come.items())
    db.session.commit()
    return promised


def promise(periodic: Periodic, slot: datetime, **columns: Any) -> int | None:
    """Promise a run of this slot: its id, or None if somebody was faster."""
    row = insert(ScheduledRun).values(
        name=periodic.name, job=periodic.job, slot=slot, **{"state": RunState.WAITING, **columns}
    )
    run_id: int | None = db.session.scalar(row.on_conflict_do_nothing().returning(ScheduledRun.id))
    if run_id is not None:
        message = outbox.enqueue("app.foundation.ticking.run_slot", run_id, queue=periodic.queue)
        db.session.flush()
        promised = update(ScheduledRun).where(ScheduledRun.id == run_id)
        db.session.execute(promised.values(message_id=message.id))
    return run_id


@job
def run_slot(run_id: int) -> None:
    """Run a promised slot and keep what its job returned."""
    run = db.session.get(ScheduledRun, run_id)
    if run is None or run.state == RunState.DONE:
        return
    run.result = str(resolve(run.job)() or "")
    run.state, run.error, run.finished_at = RunState.DONE, None, clock.now()
    log.info(
        "slot run", extra={"job": run.job, "slot": clock.local(run.slot).isoformat(), "result": run.result}
    )


@outbox.on_begin(RUN_SLOT)
def note_begin(message: OutboxMessage) -> None:
    """A run can be seen running."""
    run = db.session.get(ScheduledRun, message.arguments[0])
    if run and run.state != RunState.DONE:
        run.state, run.started_at, run.finished_at = RunState.RUNNING, clock.now(), None
        run.attempts += 1


@outbox.on_failure(RUN_SLOT)
def note_failure(message: OutboxMessage) -> None:
    """A run that failed says so and why, whether it is tried again or not."""
    run = db.session.get(ScheduledRun, message.arguments[0])
    if run and run.state != RunState.DONE:
        run.state, run.error, run.finished_at = RunState.FAILED, message.last_error, clock.now()
