"""What the machinery forgets, and what it never does."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select

from app.foundation import clock, retention, ticking
from app.foundation.cadences import Daily, Every
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import Periodic, RunState, ScheduledRun

NOW = datetime(2031, 6, 1, 12, tzinfo=UTC)
OFTEN, DAILY = "app.lifecycle.jobs.leave_on_last_days", "app.payments.jobs.move_renewals_on"


@pytest.fixture(autouse=True)
def schedule(context, monkeypatch):
    before = ticking.schedule()
    ticking.install([Periodic("Often", OFTEN, Every(15)), Periodic("Daily", DAILY, Daily(time(9)))])
    monkeypatch.setattr(clock, "now", lambda: NOW)
    yield
    ticking.install(before)


def work(state: str, days: int) -> int:
    ended = NOW - timedelta(days=days)
    row = OutboxMessage(job="x", state=state, due_at=ended, created_at=ended, finished_at=ended)
    db.session.add(row)
    db.session.flush()
    return row.id


def run(job: str, days: float, state: str = RunState.DONE, **columns: int) -> int:
    row = ScheduledRun(name="x", job=job, slot=NOW - timedelta(days=days), state=state, **columns)
    db.session.add(row)
    db.session.flush()
    return row.id


def left(model: type) -> list[int]:
    return list(db.session.scalars(select(model.id).order_by(model.id)))


def test_done_work_goes_after_a_month_and_nothing_else_does():
    kept = [
        work(state, days)
        for state, days in ((OutboxState.DONE, 29), (OutboxState.WAITING, 900), (OutboxState.DEAD, 900))
    ]
    work(OutboxState.DONE, 31)
    assert retention.forget_old_work() == "1 done, 0 runs"
    assert left(OutboxMessage) == kept


def test_run_keeps_its_story_when_its_promise_is_forgotten():
    message = work(OutboxState.DONE, 31)
    key = run(DAILY, 31, message_id=message)
    retention.forget_old_work()
    db.session.expire_all()
    assert db.session.get(ScheduledRun, key).message_id is None


def test_old_runs_of_frequent_jobs_go_and_daily_ones_stay():
    run(OFTEN, 401)
    run(OFTEN, 402, RunState.FAILED)
    kept = [run(OFTEN, 403, RunState.RUNNING), run(OFTEN, 399), run(DAILY, 3000), run("app.gone.job", 3000)]
    assert retention.forget_old_work() == "0 done, 2 runs"
    assert left(ScheduledRun) == kept


def test_latest_run_of_a_job_that_rested_long_is_kept():
    run(OFTEN, 600)
    latest = run(OFTEN, 500)
    retention.forget_old_work()
    assert left(ScheduledRun) == [latest]


def test_periods_are_settings(context, monkeypatch):
    monkeypatch.setitem(context.config, "KEEP_WORK_DAYS", 5)
    monkeypatch.setitem(context.config, "KEEP_RUNS_DAYS", 5)
    work(OutboxState.DONE, 6)
    run(OFTEN, 6)
    latest = run(OFTEN, 0)
    assert retention.forget_old_work() == "1 done, 1 runs"
    assert left(ScheduledRun) == [latest]
