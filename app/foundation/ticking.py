"""Periodic jobs: rq-scheduler ticks, PostgreSQL decides. A slot is run once, whoever ticks and how often.

`UNIQUE(job, slot)` makes two schedulers harmless; after downtime only the latest slot is caught up; a slot is a local
time, so both clock changes come out right.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, Text, UniqueConstraint, false
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import clock, outbox
from app.foundation.database import Model, db
from app.foundation.jobs import job, resolve
from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer


class ScheduledRun(Model):
    """One slot of one periodic job, and what came of it."""

    __tablename__ = "scheduled_runs"
    __audit__ = False
    __generated__ = ("name", "job", "result")
    __table_args__ = (
        UniqueConstraint(
            "job",
            "slot",
            name="uq_scheduled_runs_job_slot",
            info={"field": "slot", "message": "This slot was promised already."},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    job: Mapped[str] = mapped_column(Text)
    slot: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    result: Mapped[str | None] = mapped_column(Text)


@row_rule(ScheduledRun)
def _admins_only(_viewer: Viewer) -> Any:
    return false()


class Weekday(IntEnum):
    """Days as `date.weekday()` counts them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Cadence(Protocol):
    """When a job's slots are."""

    def last_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The latest slot at or before now, in UTC."""


@dataclass(frozen=True, slots=True)
class Every:
    """A slot every so many minutes, counted from the epoch, so that every process agrees on them."""

    minutes: int

    def last_slot(self, now: datetime, zone: ZoneInfo) -> datetime:  # noqa: ARG002 - a cadence is asked with a zone
        """The start of the period that now lies in."""
        seconds = self.minutes * 60
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)


@dataclass(frozen=True, slots=True)
class Daily:
    """A slot at a local time each day, or on one weekday only."""

    at: time
    weekday: Weekday | None = None

    def last_slot(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Looks back day by day: at most a week and a day."""
        day = now.astimezone(zone).date()
        while not self._is_on(day) or self._slot(day, zone) > now:
            day -= timedelta(days=1)
        return self._slot(day, zone)

    def _is_on(self, day: date) -> bool:
        return self.weekday is None or day.weekday() == self.weekday

    def _slot(self, day: date, zone: ZoneInfo) -> datetime:
        return datetime.combine(day, self.at, zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Periodic:
    """A periodic job: what people call it, the job's dotted name, and when."""

    name: str
    job: str
    cadence: Cadence


_table: list[Periodic] = []


def install(table: list[Periodic]) -> None:
    """Make this the schedule."""
    _table[:] = table


def tick() -> int:
    """Promise every slot that has come and that nobody has promised yet; returns how many. Commits."""
    now, zone = clock.now(), clock.zone()
    promised = 0
    for periodic in _table:
        slot = periodic.cadence.last_slot(now, zone)
        row = insert(ScheduledRun).values(name=periodic.name, job=periodic.job, slot=slot)
        run = db.session.scalar(row.on_conflict_do_nothing().returning(ScheduledRun.id))
        if run is not None:
            outbox.enqueue("app.foundation.ticking.run_slot", run)
            promised += 1
    db.session.commit()
    return promised


@job
def run_slot(run_id: int) -> None:
    """Run a promised slot and keep what its job returned."""
    run = db.session.get(ScheduledRun, run_id)
    if run is None or run.finished_at is not None:
        return
    run.started_at = clock.now()
    run.result = str(resolve(run.job)() or "")
    run.finished_at = clock.now()
