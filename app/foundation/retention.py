"""How long the machinery remembers. Dead letters, and runs of jobs that come daily or seldomer, are kept for good."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import delete, func, select

from app.foundation import clock, ticking
from app.foundation.cadences import DAY
from app.foundation.database import db
from app.foundation.jobs import job
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import RunState, ScheduledRun


@job
def forget_old_work() -> str:
    """Forget work that was done long ago, and old runs of jobs that come several times a day."""
    work, runs = forget_done_work(), forget_frequent_runs()
    return f"{work} done, {runs} runs"


def forget_done_work() -> int:
    """Delete what was done more than `KEEP_WORK_DAYS` ago; a run keeps its story without it."""
    before = clock.now() - timedelta(days=current_app.config["KEEP_WORK_DAYS"])
    old = delete(OutboxMessage).where(
        OutboxMessage.state == OutboxState.DONE, OutboxMessage.finished_at < before
    )
    return _count(old)


def forget_frequent_runs() -> int:
    """Delete runs older than `KEEP_RUNS_DAYS`, but for each job's latest: what was done last is always known."""
    before = clock.now() - timedelta(days=current_app.config["KEEP_RUNS_DAYS"])
    frequent = [one.job for one in ticking.schedule() if one.cadence.period < DAY]
    latest = (
        select(func.max(ScheduledRun.id)).where(ScheduledRun.job.in_(frequent)).group_by(ScheduledRun.job)
    )
    old = delete(ScheduledRun).where(
        ScheduledRun.job.in_(frequent),
        ScheduledRun.slot < before,
        ScheduledRun.state.in_([RunState.DONE, RunState.FAILED]),
        ScheduledRun.id.not_in(latest),
    )
    return _count(old)


def _count(old: object) -> int:
    gone = db.session.execute(old, execution_options={"synchronize_session": False})  # type: ignore[call-overload]
    return int(gone.rowcount)
