"""The schedule's pages: how each job stands, and an Admin who runs, pauses and resumes it or revives dead letters."""

import re
from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation import clock, jobs, outbox, scheduling, ticking
from app.foundation.cadences import Daily, Every
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.schedule_views import took
from app.foundation.scheduling import JobState, Troubles
from app.foundation.ticking import Periodic, RunState, ScheduledRun

JOB = "app.lifecycle.jobs.leave_on_last_days"
BROKEN = "app.lifecycle.jobs.plan_case"  # wants an argument that a slot does not have
NOON = datetime(2031, 6, 2, 12, 0, tzinfo=UTC)
TABLE = [
    Periodic("Close sign-ins", JOB, Daily(time(9)), "Signs out whoever leaves."),
    Periodic("Broken job", BROKEN, Every(15), "Never works."),
]


@pytest.fixture
def schedule(app):
    before = ticking.schedule()
    ticking.install(TABLE)
    yield
    ticking.install(before)


@pytest.fixture
def at(monkeypatch):
    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    set_clock(NOON)
    return set_clock


@pytest.fixture
def standing(app, schedule, at):
    """Job -> its status, as it stands now."""

    def look() -> dict[str, scheduling.JobStatus]:
        with app.app_context():
            found = {status.periodic.job: status for status in scheduling.statuses()}
            db.session.remove()
        return found

    return look


@pytest.fixture
def tick(app):
    def run() -> int:
        with app.app_context():
            promised = ticking.tick()
            db.session.remove()
        return promised

    return run


@pytest.fixture
def work(app):
    """Do what waits, and let it fail."""

    def run() -> None:
        with app.app_context():
            waiting = select(OutboxMessage.id).where(OutboxMessage.state == OutboxState.WAITING)
            for key in list(db.session.scalars(waiting)):
                db.session.remove()
                jobs.perform(key)

    return run


def actions(app) -> list[tuple[str, str, str]]:
    """What the log says was done to the machinery, by whom, to what."""
    with app.app_context():
        query = select(AuditEntry.action, AuditEntry.actor_name, AuditEntry.target_label)
        rule = AuditEntry.target_type.in_(["schedule", "outbox"])
        return [tuple(row) for row in db.session.execute(query.where(rule).order_by(AuditEntry.id))]


# --- how a job stands -------------------------------------------------------------------------------------------------


def test_job_goes_from_new_over_waiting_to_well(standing, tick, work, at):
    at(NOON - timedelta(hours=2, minutes=59))
    assert standing()[JOB].state is JobState.NEW
    assert standing()[JOB].may_run
    tick()
    assert standing()[JOB].state is JobState.WAITING
    assert not standing()[JOB].may_run
    work()
    status = standing()[JOB]
    assert (status.state, status.last.result) == (JobState.WELL, "0 signed out")
    assert status.next_at == datetime(2031, 6, 3, 9, tzinfo=UTC)


def test_job_that_fails_says_so_and_when_it_is_tried_again(standing, tick, work, at):
    tick()
    work()
    status = standing()[BROKEN]
    assert status.state is JobState.FAILED
    assert status.last.error.startswith("TypeError")
    assert status.again_at == NOON + timedelta(seconds=30)
    for _ in range(outbox.MOST_ATTEMPTS):
        work()
    assert (standing()[BROKEN].state, standing()[BROKEN].again_at) == (JobState.FAILED, None)


def test_slot_that_nobody_promised_is_late_after_five_minutes(standing, tick, work, at):
    """The scheduler is away."""
    tick()
    work()
    at(NOON.replace(day=3, hour=9, minute=4))
    assert standing()[JOB].state is JobState.WELL
    at(NOON.replace(day=3, hour=9, minute=6))
    assert standing()[JOB].state is JobState.LATE


def test_run_that_no_worker_takes_up_is_late_after_five_minutes(standing, tick, at):
    at(NOON.replace(hour=9))
    tick()
    at(NOON.replace(hour=9, minute=6))
    assert standing()[JOB].state is JobState.LATE


def test_status_of_any_number_of_runs_takes_three_statements(standing, tick, work, at, statements, context):
    counts = []
    for day in (2, 3, 4):
        at(NOON.replace(day=day))
        tick()
        work()
        with statements() as seen:
            scheduling.statuses()
        counts.append(len(seen))
    assert counts == [3, 3, 3]


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (None, ""),
        (timedelta(milliseconds=3), "less than 0.1 s"),
        (timedelta(milliseconds=1260), "1.3 s"),
        (timedelta(seconds=59.9), "59.9 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(seconds=125), "2 min 5 s"),
    ],
)
def test_duration_reads_as_people_say_it(duration, words):
    assert took(duration) == words


# --- pages ------------------------------------------------------------------------------------------------------------


def test_schedule_shows_each_job_with_when_last_and_next(standing, root, tick, work):
    page = root.get("/schedule/").text
    assert "Has not run yet" in page
    assert "Daily at 9:00" in page
    assert "Every 15 minutes" in page
    assert "Signs out whoever leaves." in page
    assert "Tomorrow, 09:00" in page
    tick()
    work()
    page = root.get("/schedule/").text
    assert "0 signed out" in page
    assert "TypeError" in page
    assert re.search("Tried again <time [^>]*>today, 12:00", page)


def test_page_of_a_job_shows_every_run_and_pages_by_key(standing, root, app, at):
    empty = root.get(f"/schedule/{JOB}").text
    assert "It has not run yet" in empty
    with app.app_context():
        for day in range(120):
            slot, state = NOON + timedelta(days=day), RunState.FAILED if day % 40 == 0 else RunState.DONE
            db.session.add(ScheduledRun(name="x", job=JOB, slot=slot, state=state, error="It broke."))
        db.session.commit()
    first = root.get(f"/schedule/{JOB}").text
    assert first.count('data-label="State"') == 50
    assert 'rel="next"' in first
    last = root.get(f"/schedule/{JOB}?before=21").text
    assert last.count('data-label="State"') == 20
    assert 'rel="next"' not in last
    failed = root.get(f"/schedule/{JOB}?failed=1").text
    assert failed.count("It broke.") == 3
    for odd in ("abc", "-1", "999999999999999999999"):
        assert root.get(f"/schedule/{JOB}?before={odd}").status_code == 200


def test_run_has_a_page_of_its_own(standing, root, tick, work, app):
    tick()
    work()
    with app.app_context():
        key = db.session.scalar(select(ScheduledRun.id).where(ScheduledRun.job == BROKEN))
    page = root.get(f"/scheduled-runs/show/{key}").text
    assert "plan_case() missing 1 required positional argument" in page


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_schedule_is_for_admins(standing, visit, name):
    visitor = visit(name)
    assert visitor.get("/schedule/").status_code == 403
    assert visitor.get(f"/schedule/{JOB}").status_code == 403
    for verb in ("run", "pause", "resume"):
        assert visitor.post(f"/schedule/{JOB}/{verb}").status_code == 403
    assert visitor.post("/dead-letters/retry").status_code == 403
    assert visitor.post("/dead-letters/1/retry").status_code == 403
    assert standing()[JOB].state is JobState.LATE


def test_job_that_does_not_exist_is_not_found(standing, root):
    assert root.get("/schedule/os.system").status_code == 404
    for verb in ("run", "pause", "resume"):
        assert root.post(f"/schedule/os.system/{verb}").status_code == 404
    assert root.post("/dead-letters/424242/retry").status_code == 404
    assert root.post("/dead-letters/abc/retry").status_code == 404


def test_get_changes_nothing(standing, root):
    for verb in ("run", "pause", "resume"):
        assert root.get(f"/schedule/{JOB}/{verb}").status_code in {404, 405}


# --- run now, pause, resume -------------------------------------------------------------------------------------------


def test_run_now_runs_once_names_who_asked_and_leaves_the_slots_alone(standing, root, app, tick, work):
    assert root.post(f"/schedule/{JOB}/run").status_code == 302
    assert (
        "waiting to run or running already" in root.post(f"/schedule/{JOB}/run", follow_redirects=True).text
    )
    work()
    run = standing()[JOB].last
    assert (run.state, run.trigger, run.asked_by, run.slot) == ("done", "person", "Root", NOON)
    tick()
    with app.app_context():
        slots = db.session.scalars(select(ScheduledRun.slot).where(ScheduledRun.job == JOB)).all()
    assert slots == [NOON, NOON.replace(hour=9)]
    assert actions(app) == [("schedule.run", "Root", "Close sign-ins")]
    assert "Root" in root.get(f"/schedule/{JOB}").text


def test_paused_job_promises_nothing_and_catches_up_once(standing, root, app, tick, work, at):
    tick()
    work()
    assert root.post(f"/schedule/{JOB}/pause").status_code == 302
    assert "paused already" in root.post(f"/schedule/{JOB}/pause", follow_redirects=True).text
    status = standing()[JOB]
    assert (status.state, status.next_at, status.pause.paused_by) == (JobState.PAUSED, None, "Root")
    assert "Paused by Root" in root.get("/schedule/").text
    at(NOON + timedelta(days=5))
    tick()
    assert standing()[JOB].last.slot == NOON.replace(hour=9)
    assert root.post(f"/schedule/{JOB}/resume").status_code == 302
    assert "is not paused" in root.post(f"/schedule/{JOB}/resume", follow_redirects=True).text
    assert [tick(), tick()] == [1, 0]
    with app.app_context():
        slots = db.session.scalars(select(ScheduledRun.slot).where(ScheduledRun.job == JOB)).all()
    assert slots == [NOON.replace(hour=9), NOON.replace(day=7, hour=9)]
    assert [action for action, _, _ in actions(app)] == ["schedule.pause", "schedule.resume"]


def test_pause_that_no_slot_fell_into_is_caught_up_with_nothing(standing, root, tick, work, at):
    at(NOON.replace(hour=9))
    tick()
    work()
    root.post(f"/schedule/{JOB}/pause")
    at(NOON.replace(hour=20))
    root.post(f"/schedule/{JOB}/resume")
    tick()
    assert standing()[JOB].last.slot == NOON.replace(hour=9)


def test_paused_job_still_runs_when_somebody_asks(standing, root, work):
    root.post(f"/schedule/{JOB}/pause")
    root.post(f"/schedule/{JOB}/run", {"from": "job"})
    work()
    assert standing()[JOB].last.state == RunState.DONE


# --- dead letters -----------------------------------------------------------------------------------------------------


@pytest.fixture
def dead(app, standing, tick, work):
    tick()
    for _ in range(outbox.MOST_ATTEMPTS):
        work()
    with app.app_context():
        return db.session.scalar(select(OutboxMessage.id).where(OutboxMessage.state == OutboxState.DEAD))


def state_of(app, key: int) -> tuple[str, int]:
    with app.app_context():
        row = db.session.get(OutboxMessage, key)
        return row.state, row.begun


def test_dead_letters_stand_first_and_one_can_be_tried_again(app, root, dead, work):
    page = root.get("/outbox/list/").text
    assert page.index("Dead letters") < page.index("<table")
    assert "TypeError: plan_case() missing 1" in page
    assert "Try again" in root.get(f"/outbox/show/{dead}").text
    assert root.post(f"/dead-letters/{dead}/retry").status_code == 302
    assert state_of(app, dead) == ("waiting", 0)
    assert "no dead letter any more" in root.post(f"/dead-letters/{dead}/retry", follow_redirects=True).text
    assert actions(app) == [("outbox.retry", "Root", "app.foundation.ticking.run_slot")]
    assert "Dead letters" not in root.get("/outbox/list/").text
    assert "Try again" not in root.get(f"/outbox/show/{dead}").text


def test_all_dead_letters_can_be_tried_again_at_once(app, root, dead):
    with app.app_context():
        for number in range(3):
            message = outbox.enqueue("app.nowhere.gone", number)
            db.session.flush()
            message.state = OutboxState.DEAD
        db.session.commit()
    assert root.post("/dead-letters/retry").status_code == 302
    assert (
        "There are no dead letters any more." in root.post("/dead-letters/retry", follow_redirects=True).text
    )
    with app.app_context():
        left = select(func.count()).where(OutboxMessage.state == OutboxState.DEAD)
        assert db.session.scalar(left) == 0
    assert actions(app) == [("outbox.retry_all", "Root", "4 dead letters")]


def test_troubles_are_counted_while_there_are_any(app, visit, dead, work, monkeypatch):
    root, charlie = visit("root"), visit("charlie")
    with app.app_context():
        assert scheduling.troubles() == Troubles(dead_letters=1, failing_jobs=1)
    for path in ("/", "/schedule/"):
        assert "1 dead letter" in root.get(path).text
    assert "1 scheduled job whose last run failed" in root.get("/").text
    assert "dead letter" not in charlie.get("/").text
    root.post(f"/dead-letters/{dead}/retry")
    monkeypatch.setitem(jobs._registered, BROKEN, lambda: "mended")
    work()
    with app.app_context():
        assert scheduling.troubles() == Troubles(dead_letters=0, failing_jobs=0)
    for path in ("/", "/schedule/"):
        assert "dead letter" not in root.get(path).text
        assert "last run failed" not in root.get(path).text
