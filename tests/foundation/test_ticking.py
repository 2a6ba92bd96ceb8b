"""Slots of periodic jobs: right over both clock changes, once whoever ticks, once after any downtime."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.foundation import clock, jobs, ticking
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import Daily, Every, Periodic, ScheduledRun, Weekday

NINE = Daily(time(9))
JOB = "app.lifecycle.jobs.leave_on_last_days"
OTHER_JOB = "app.lifecycle.jobs.plan_case"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def schedule(app):
    """Installs a schedule for the test, and puts the portal's own back."""
    before = list(ticking._table)
    yield ticking.install
    ticking.install(before)


@pytest.fixture
def at(monkeypatch):
    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_clock


def runs() -> list[ScheduledRun]:
    db.session.expire_all()
    return list(db.session.scalars(select(ScheduledRun).order_by(ScheduledRun.slot)))


# --- when slots are ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "now", "slot"),
    [
        ("UTC", "2031-06-01T08:59:59", "2031-05-31T09:00"),
        ("UTC", "2031-06-01T09:00:00", "2031-06-01T09:00"),
        ("Europe/Berlin", "2031-06-01T07:00:00", "2031-06-01T07:00"),
        ("Europe/Berlin", "2031-12-01T07:59:59", "2031-11-30T08:00"),
        ("America/New_York", "2031-07-04T12:59:00", "2031-07-03T13:00"),
        ("Asia/Kolkata", "2031-07-04T03:30:00", "2031-07-04T03:30"),
        ("Pacific/Kiritimati", "2031-07-04T19:00:00", "2031-07-04T19:00"),
    ],
)
def test_daily_slot_is_nine_on_the_companys_clock(zone, now, slot):
    assert NINE.last_slot(utc(now), ZoneInfo(zone)) == utc(slot)


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"]
)
def test_daily_slots_of_a_year_are_one_a_local_day_at_nine(zone):
    """Looked at every twenty minutes through a year with both clock changes."""
    now, end = utc("2031-01-01T12:00"), utc("2032-01-01T12:00")
    seen = set()
    while now < end:
        slot = NINE.last_slot(now, ZoneInfo(zone))
        assert timedelta() <= now - slot <= timedelta(hours=25)
        seen.add(slot)
        now += timedelta(minutes=20)
    local = sorted(slot.astimezone(ZoneInfo(zone)) for slot in seen)
    assert {(moment.hour, moment.minute) for moment in local} == {(9, 0)}
    days = [moment.date() for moment in local]
    assert len(days) == len(set(days)) in {365, 366}
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", "2031-03-30"),
        ("America/New_York", "2031-03-09"),
        ("Europe/Berlin", "2031-10-26"),
        ("America/New_York", "2031-11-02"),
    ],
)
def test_slot_within_the_hour_that_is_skipped_or_comes_twice_is_one_slot(zone, day):
    """Half past two does not exist on one night and exists twice on the other."""
    cadence, start = Daily(time(2, 30)), utc(f"{day}T00:00") - timedelta(hours=12)
    seen = {
        cadence.last_slot(start + timedelta(minutes=minute), ZoneInfo(zone))
        for minute in range(0, 60 * 48, 5)
    }
    local_days = [slot.astimezone(ZoneInfo(zone)).date().isoformat() for slot in seen]
    assert local_days.count(day) == 1
    assert all(timedelta(hours=22) < b - a < timedelta(hours=26) for a, b in pairwise(sorted(seen)))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Tokyo"])
def test_weekly_slots_of_a_year_are_its_mondays_at_ten(zone):
    cadence = Daily(time(10), Weekday.MONDAY)
    now, end = utc("2031-01-06T12:00"), utc("2032-01-05T00:00")
    seen = set()
    while now < end:
        seen.add(cadence.last_slot(now, ZoneInfo(zone)))
        now += timedelta(hours=3)
    local = [slot.astimezone(ZoneInfo(zone)) for slot in seen]
    assert {(moment.weekday(), moment.hour, moment.minute) for moment in local} == {(0, 10, 0)}
    assert len({moment.date() for moment in local} & set(_mondays_of_2031())) in {51, 52}


@pytest.mark.parametrize("zone", ["UTC", "Australia/Lord_Howe"])
def test_slots_every_quarter_hour_are_the_same_in_each_zone_and_process(zone):
    cadence = Every(minutes=15)
    assert cadence.last_slot(utc("2031-10-26T00:59:59"), ZoneInfo(zone)) == utc("2031-10-26T00:45")
    assert cadence.last_slot(utc("2031-10-26T01:00:00"), ZoneInfo(zone)) == utc("2031-10-26T01:00")
    start = utc("2031-10-26T00:00")
    seen = {cadence.last_slot(start + timedelta(minutes=one), ZoneInfo(zone)) for one in range(24 * 60)}
    assert len(seen) == 96


# --- ticking ----------------------------------------------------------------------------------------------------------


def test_tick_promises_each_slot_once(schedule, at, run_jobs, context):
    schedule([Periodic("Daily", JOB, NINE)])
    at(utc("2031-06-01T09:00:30"))
    assert [ticking.tick() for _ in range(3)] == [1, 0, 0]
    assert run_jobs() == 1
    [run] = runs()
    assert (run.name, run.job, run.slot) == ("Daily", JOB, utc("2031-06-01T09:00"))
    assert run.result == "0 signed out"
    assert run.started_at
    assert run.finished_at
    at(utc("2031-06-02T08:59:59"))
    assert ticking.tick() == 0
    at(utc("2031-06-02T09:00:00"))
    assert ticking.tick() == 1


def test_downtime_is_caught_up_once(schedule, at, context):
    schedule([Periodic("Daily", JOB, NINE), Periodic("Often", OTHER_JOB, Every(minutes=15))])
    at(utc("2031-06-01T09:00:30"))
    assert ticking.tick() == 2
    at(utc("2031-06-09T23:14:00"))
    assert ticking.tick() == 2
    assert ticking.tick() == 0
    assert {run.slot for run in runs()[2:]} == {utc("2031-06-09T09:00"), utc("2031-06-09T23:00")}


def test_clock_set_back_promises_nothing_again(schedule, at, context):
    schedule([Periodic("Daily", JOB, NINE)])
    at(utc("2031-06-02T09:00:30"))
    assert ticking.tick() == 1
    at(utc("2031-06-02T08:00:00"))
    ticking.tick()
    at(utc("2031-06-02T09:00:31"))
    assert ticking.tick() == 0


def test_eight_tickers_at_the_same_moment_make_one_run(schedule, at, app, context):
    schedule([Periodic(f"Job {number}", JOB, Daily(time(hour=number))) for number in range(4)])
    at(utc("2031-06-02T12:00:00"))
    promised, faults, together = [], [], threading.Barrier(8)

    def tick() -> None:
        with app.app_context():
            try:
                together.wait(10)
                promised.append(ticking.tick())
            except Exception as error:  # noqa: BLE001 - told below
                faults.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=tick) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(promised) == 4
    assert len(runs()) == 4
    assert len(db.session.scalars(select(OutboxMessage.id)).all()) == 4


def test_slot_is_run_once_however_often_it_is_offered(schedule, at, run_jobs, context):
    schedule([Periodic("Daily", JOB, NINE)])
    at(utc("2031-06-01T09:00:30"))
    ticking.tick()
    run_jobs()
    [run] = runs()
    finished = run.finished_at
    at(utc("2031-06-01T09:30:00"))
    ticking.run_slot(run.id)
    db.session.commit()
    assert runs()[0].finished_at == finished


def test_failing_job_is_tried_again_and_shows_no_result_until_then(schedule, at, context):
    """This job wants an argument that a slot does not have."""
    schedule([Periodic("Broken", OTHER_JOB, NINE)])
    at(utc("2031-06-01T09:00:30"))
    ticking.tick()
    [key] = db.session.scalars(select(OutboxMessage.id)).all()
    jobs.perform(key)
    message = db.session.get(OutboxMessage, key)
    assert (message.state, message.last_error[:9]) == (OutboxState.WAITING, "TypeError")
    [run] = runs()
    assert (run.started_at, run.finished_at, run.result) == (None, None, None)


def test_every_scheduled_job_is_a_job(app):
    for periodic in ticking._table:
        assert callable(jobs.resolve(periodic.job))


def _mondays_of_2031():
    return [date(2031, 1, 6) + timedelta(weeks=week) for week in range(52)]
