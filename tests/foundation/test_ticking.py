"""Slots of periodic jobs: right over both clock changes, once whoever ticks, once after any downtime."""

import threading
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.foundation import clock, jobs, outbox, ticking
from app.foundation.cadences import Daily, Every, Weekday
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.ticking import Periodic, RunState, ScheduledRun

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


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kolkata"]
)
@pytest.mark.parametrize(
    "cadence", [NINE, Daily(time(2, 30)), Daily(time(0, 10)), Daily(time(10), Weekday.MONDAY), Every(15)]
)
def test_next_slot_is_the_last_one_as_soon_as_it_has_come(zone, cadence):
    """Through a year with both clock changes, and neither leaves a gap."""
    where, now, end = ZoneInfo(zone), utc("2031-01-01T12:00"), utc("2032-01-01T12:00")
    while now < end:
        coming = cadence.next_slot(now, where)
        assert cadence.last_slot(now, where) <= now < coming
        assert cadence.last_slot(coming - timedelta(microseconds=1), where) == cadence.last_slot(now, where)
        assert cadence.last_slot(coming, where) == coming
        now = coming + timedelta(hours=5)


@pytest.mark.parametrize(
    ("cadence", "words"),
    [
        (Daily(time(9)), "Daily at 9:00"),
        (Daily(time(0, 10)), "Daily at 0:10"),
        (Daily(time(10), Weekday.MONDAY), "Mondays at 10:00"),
        (Every(1), "Every minute"),
        (Every(15), "Every 15 minutes"),
        (Every(60), "Every hour"),
        (Every(120), "Every 2 hours"),
        (Every(90), "Every 90 minutes"),
        (Every(24 * 60), "Every day"),
    ],
)
def test_cadence_reads_as_people_would_say_it(cadence, words):
    assert str(cadence) == words


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


def test_failing_job_says_why_and_is_tried_again_until_it_is_a_dead_letter(schedule, at, context):
    """This job wants an argument that a slot does not have."""
    schedule([Periodic("Broken", OTHER_JOB, NINE)])
    at(utc("2031-06-01T09:00:30"))
    ticking.tick()
    [key] = db.session.scalars(select(OutboxMessage.id)).all()
    jobs.perform(key)
    message = db.session.get(OutboxMessage, key)
    assert (message.state, message.last_error[:9]) == (OutboxState.WAITING, "TypeError")
    [run] = runs()
    assert (run.state, run.attempts, run.result) == (RunState.FAILED, 1, None)
    assert run.error.startswith("TypeError: plan_case() missing 1 required")
    assert run.duration == timedelta()
    for _ in range(outbox.MOST_ATTEMPTS - 1):
        jobs.perform(key)
    [run] = runs()
    assert (run.state, run.attempts) == (RunState.FAILED, outbox.MOST_ATTEMPTS)
    assert db.session.get(OutboxMessage, key).state == OutboxState.DEAD


def test_run_that_works_at_last_has_a_result_and_no_error(schedule, at, context, monkeypatch):
    schedule([Periodic("Daily", JOB, NINE)])
    at(utc("2031-06-01T09:00:30"))
    ticking.tick()
    [key] = db.session.scalars(select(OutboxMessage.id)).all()
    with monkeypatch.context() as broken:
        broken.setitem(jobs._registered, JOB, lambda: 1 / 0)
        jobs.perform(key)
    assert runs()[0].error == "ZeroDivisionError: division by zero"
    at(utc("2031-06-01T09:01:10"))
    jobs.perform(key)
    [run] = runs()
    assert (run.state, run.attempts, run.error, run.result) == (RunState.DONE, 2, None, "0 signed out")
    assert (run.started_at, run.finished_at) == (utc("2031-06-01T09:01:10"), utc("2031-06-01T09:01:10"))


def test_run_whose_worker_dies_each_time_ends_as_failed(schedule, at, context, monkeypatch):
    """What kills a worker can't be caught: the attempt is counted before, and the sweeper judges."""
    schedule([Periodic("Daily", JOB, NINE)])
    at(now := utc("2031-06-01T09:00:30"))
    ticking.tick()
    [key] = db.session.scalars(select(OutboxMessage.id)).all()

    def die() -> None:
        raise SystemExit

    monkeypatch.setitem(jobs._registered, JOB, die)
    for attempt in range(1, outbox.MOST_ATTEMPTS + 1):
        with pytest.raises(SystemExit):
            jobs.perform(key)
        assert (runs()[0].state, runs()[0].attempts) == (RunState.RUNNING, attempt)
        at(now := now + timedelta(hours=2))
        outbox.sweep()
    [run] = runs()
    assert (run.state, run.error) == (RunState.FAILED, outbox.WORKER_ENDED)
    assert db.session.get(OutboxMessage, key).state == OutboxState.DEAD
    assert outbox.sweep() == 0


def test_every_scheduled_job_is_a_job(app):
    for periodic in ticking._table:
        assert callable(jobs.resolve(periodic.job))


def _mondays_of_2031():
    return [date(2031, 1, 6) + timedelta(weeks=week) for week in range(52)]
