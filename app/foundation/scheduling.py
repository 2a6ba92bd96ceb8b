"""The schedule as an Admin sees it and takes it in hand: how each job stands, run now, pause, resume."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ARRAY, Text, distinct, exists, func, literal, select
from sqlalchemy.orm import aliased

from app.foundation import advisory, clock, events, outbox, ticking
from app.foundation.actor import current_actor
from app.foundation.database import db
from app.foundation.errors import Conflict, NotFound
from app.foundation.events import Operated
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import JobPause, Periodic, RunState, RunTrigger, ScheduledRun

LATE_AFTER = timedelta(minutes=5)
UNDER_WAY = (RunState.WAITING, RunState.RUNNING)


class JobState(StrEnum):
    """How a job stands."""

    NEW = "new"
    WELL = "well"
    WAITING = "waiting"
    RUNNING = "running"
    LATE = "late"
    FAILED = "failed"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A periodic job, its latest run, and what comes next. `again_at` is when a failed run is tried again."""

    periodic: Periodic
    state: JobState
    last: ScheduledRun | None
    next_at: datetime | None
    again_at: datetime | None
    pause: JobPause | None

    @property
    def may_run(self) -> bool:
        """Whether somebody can ask for a run now: one that waits or runs comes first."""
        return self.last is None or self.last.state not in UNDER_WAY


@dataclass(frozen=True, slots=True)
class Troubles:
    """Work that nobody does any more unless somebody looks: dead letters, and jobs whose latest run failed."""

    dead_letters: int
    failing_jobs: int


def statuses() -> list[JobStatus]:
    """Every job of the schedule, in three statements."""
    now, table = clock.now(), ticking.schedule()
    pauses = ticking.pauses()
    latest = _latest_runs([one.job for one in table])
    behind = {job for (job, slot) in ticking.unpromised(now, pauses) if now - slot > LATE_AFTER}
    return [_status(one, now, pauses.get(one.job), latest.get(one.job), one.job in behind) for one in table]


def status_of(key: str) -> JobStatus:
    """One job's. NotFound for a job that is not in the schedule."""
    for status in statuses():
        if status.periodic.job == key:
            return status
    raise NotFound("There is no such job in the schedule.")


def _latest_runs(jobs: list[str]) -> dict[str, tuple[ScheduledRun, datetime | None]]:
    """The newest run of each job, by index, and when the outbox tries it again."""
    names = func.unnest(literal(jobs, ARRAY(Text))).table_valued("job").render_derived("names")
    newest = (
        select(ScheduledRun.id)
        .where(ScheduledRun.job == names.c.job)
        .order_by(ScheduledRun.id.desc())
        .limit(1)
        .lateral()
    )
    keys = select(newest.c.id).select_from(names.join(newest, literal(True)))
    again = OutboxMessage.due_at
    waits = (OutboxMessage.id == ScheduledRun.message_id) & (OutboxMessage.state == OutboxState.WAITING)
    query = select(ScheduledRun, again).outerjoin(OutboxMessage, waits).where(ScheduledRun.id.in_(keys))
    return {run.job: (run, due_at) for run, due_at in db.session.execute(query)}


def _status(
    periodic: Periodic,
    now: datetime,
    pause: JobPause | None,
    latest: tuple[ScheduledRun, datetime | None] | None,
    behind: bool,  # noqa: FBT001 - private
) -> JobStatus:
    last, due_at = latest or (None, None)
    return JobStatus(
        periodic,
        _state(now, pause, last, behind=behind),
        last,
        None if pause else periodic.cadence.next_slot(now, clock.zone()),
        due_at if last and last.state == RunState.FAILED else None,
        pause,
    )


def _state(now: datetime, pause: JobPause | None, last: ScheduledRun | None, *, behind: bool) -> JobState:
    if pause:
        return JobState.PAUSED
    if last and last.state in {RunState.RUNNING, RunState.FAILED}:
        return JobState(last.state)
    waiting = last is not None and last.state == RunState.WAITING
    if behind or (last and waiting and now - last.slot > LATE_AFTER):
        return JobState.LATE
    if waiting:
        return JobState.WAITING
    return JobState.WELL if last else JobState.NEW


def runs_of(key: str, *, failed: bool, before_id: int | None, size: int) -> list[ScheduledRun]:
    """A job's runs, newest first, older than one if it is given: by key, at any depth as fast as the first."""
    query = select(ScheduledRun).where(ScheduledRun.job == key).order_by(ScheduledRun.id.desc())
    if failed:
        query = query.where(ScheduledRun.state == RunState.FAILED)
    if before_id:
        query = query.where(ScheduledRun.id < before_id)
    return list(db.session.scalars(query.limit(size)))


def troubles() -> Troubles:
    """How much there is to look at; cheap, because both are found by indexes of what failed."""
    later = aliased(ScheduledRun)
    better = exists().where(
        later.job == ScheduledRun.job, later.id > ScheduledRun.id, later.state == RunState.DONE
    )
    jobs = [one.job for one in ticking.schedule()]
    failing = select(func.count(distinct(ScheduledRun.job))).where(
        ScheduledRun.state == RunState.FAILED, ScheduledRun.job.in_(jobs), ~better
    )
    dead = select(func.count(OutboxMessage.id)).where(OutboxMessage.state == OutboxState.DEAD)
    row = db.session.execute(select(dead.scalar_subquery(), failing.scalar_subquery())).one()
    return Troubles(row[0], row[1])


def run_now(key: str) -> None:
    """Promise a run of a job that nobody's slot asks for, paused or not. Conflict while one waits or runs."""
    periodic = _locked(key)
    under_way = select(ScheduledRun.id).where(ScheduledRun.job == key, ScheduledRun.state.in_(UNDER_WAY))
    if db.session.scalar(under_way.limit(1)) is not None:
        raise Conflict(f"“{periodic.name}” is waiting to run or running already.")
    ticking.promise(periodic, clock.now(), trigger=RunTrigger.PERSON, asked_by=current_actor().name)
    _tell("schedule.run", periodic)


def pause(key: str) -> None:
    """Let a job promise no more slots. Conflict if it is paused already."""
    periodic = _locked(key)
    if db.session.get(JobPause, key):
        raise Conflict(f"“{periodic.name}” is paused already.")
    db.session.add(JobPause(job=key, paused_by=current_actor().name))
    db.session.flush()
    _tell("schedule.pause", periodic)


def resume(key: str) -> None:
    """Let a job go on: the next tick promises the latest slot if that was missed. Conflict if it is not paused."""
    periodic = _locked(key)
    paused = db.session.get(JobPause, key)
    if paused is None:
        raise Conflict(f"“{periodic.name}” is not paused.")
    db.session.delete(paused)
    db.session.flush()
    _tell("schedule.resume", periodic)


def try_again(message: OutboxMessage) -> None:
    """Revive a dead letter. Conflict if it is none any more."""
    outbox.try_again(message)
    events.publish(Operated("outbox.retry", str(message.id), message.job))


def try_all_again() -> int:
    """Revive every dead letter, and say how many. Conflict if there is none."""
    count = outbox.try_all_again()
    if not count:
        raise Conflict("There are no dead letters any more.")
    events.publish(Operated("outbox.retry_all", "", f"{count} dead letters"))
    return count


def _locked(key: str) -> Periodic:
    """The job, for one Admin at a time. NotFound if it is not in the schedule."""
    for periodic in ticking.schedule():
        if periodic.job == key:
            advisory.take_turns(key)
            return periodic
    raise NotFound("There is no such job in the schedule.")


def _tell(action: str, periodic: Periodic) -> None:
    events.publish(Operated(action, periodic.job, periodic.name))
