"""What must happen later is promised in the transaction that decides it, offered until done, and done once."""

from datetime import timedelta

import pytest
from rq import Queue
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Department
from app.foundation import clock, jobs, outbox, redis_client
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.jobs import job
from app.foundation.outbox import MOST_ATTEMPTS, OutboxMessage, OutboxState
from app.foundation.transactions import transaction

NAME = "tests.foundation.test_outbox.add_department"


@job
def add_department(name: str) -> None:
    """A job with an effect that can be counted."""
    directory.create_department(name=name)


@job
def add_and_fail(name: str) -> None:
    """Half of the work, then a fault."""
    directory.create_department(name=name)
    raise RuntimeError("broken in the middle")


@pytest.fixture
def offered(context):
    """The ids of the jobs that lie in the queue."""
    queue = Queue(connection=redis_client.quick())
    return lambda: [name.removeprefix("outbox-") for name in queue.job_ids]


@pytest.fixture
def later(monkeypatch):
    """Turn the clock on: `later(seconds=31)`. What lay in the queue was taken meanwhile, unless it is `kept`."""
    start, passed = clock.now(), [timedelta()]
    monkeypatch.setattr(clock, "now", lambda: start + passed[0])

    def turn(*, kept: bool = False, **how_much) -> None:
        passed[0] += timedelta(**how_much)
        if not kept:
            Queue(connection=redis_client.quick()).empty()

    return turn


def message(key: int) -> OutboxMessage:
    db.session.expire_all()
    return db.session.get_one(OutboxMessage, key)


def promise(name: str = NAME, *arguments: str, **how) -> int:
    with transaction():
        row = outbox.enqueue(name, *(arguments or ("Astronomy",)), **how)
    return row.id


def departments(name: str) -> int:
    return len(db.session.scalars(select(Department).where(Department.name == name)).all())


# --- promising --------------------------------------------------------------------------------------------------------


def test_promise_is_offered_after_the_commit_and_not_before(offered):
    row = outbox.enqueue(NAME, "Astronomy")
    db.session.flush()
    assert offered() == []
    db.session.commit()
    assert offered() == [f"{row.id}-1"]


def test_rollback_leaves_no_promise_and_offers_none(offered):
    outbox.enqueue(NAME, "Astronomy")
    db.session.flush()
    db.session.rollback()
    db.session.commit()
    assert offered() == []
    assert db.session.scalar(select(OutboxMessage)) is None


def test_savepoint_that_is_rolled_back_takes_its_promise_along(offered):
    kept = outbox.enqueue(NAME, "Astronomy")
    db.session.flush()
    savepoint = db.session.begin_nested()
    outbox.enqueue(NAME, "Astrology")
    db.session.flush()
    savepoint.rollback()
    db.session.commit()
    assert db.session.scalars(select(OutboxMessage.id)).all() == [kept.id]
    assert offered() == [f"{kept.id}-1"]


def test_savepoint_that_is_released_offers_nothing_before_the_commit(offered):
    with db.session.begin_nested():
        row = outbox.enqueue(NAME, "Astronomy")
        db.session.flush()
    assert offered() == []
    db.session.commit()
    assert offered() == [f"{row.id}-1"]


def test_promise_that_the_session_forgot_is_offered_all_the_same(offered):
    row = outbox.enqueue(NAME, "Astronomy")
    db.session.flush()
    db.session.expire_all()
    db.session.commit()
    assert offered() == [f"{row.id}-1"]


def test_promise_for_later_is_offered_by_the_sweeper_only(offered, later):
    key = promise(delay=timedelta(minutes=5))
    assert offered() == []
    later(minutes=4, seconds=59)
    assert outbox.sweep() == 0
    later(seconds=2)
    assert outbox.sweep() == 1
    assert offered() == [f"{key}-1"]


def test_promise_names_the_request_that_asked(app, context):
    with app.test_request_context(headers={"X-Request-ID": "a-request-of-hr"}), transaction():
        row = outbox.enqueue(NAME, "Astronomy")
        assert row.request_id == "a-request-of-hr"


def test_redis_that_is_away_does_not_undo_the_promise(app, context, monkeypatch):
    nowhere = redis_client.connect("unix:///nowhere/redis.sock", 1)
    monkeypatch.setitem(app.extensions, "redis_quick", nowhere)
    key = promise()
    assert message(key).state == OutboxState.WAITING


# --- offering again ---------------------------------------------------------------------------------------------------


def test_lease_doubles_up_to_an_hour():
    seconds = [outbox.lease(attempt).total_seconds() for attempt in range(12)]
    assert seconds[:8] == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert set(seconds[7:]) == {3600}


def test_sweep_offers_what_was_lost_every_half_minute(offered, later):
    key = promise()
    later(seconds=29)
    assert outbox.sweep() == 0
    later(seconds=1)
    for attempt in range(2, 6):
        assert outbox.sweep() == 1
        assert outbox.sweep() == 0
        assert offered() == [f"{key}-{attempt}"]
        later(seconds=30)


def test_sweep_leaves_what_still_stands_in_a_queue(offered, later):
    """A backlog of hours is offered once, not every half minute."""
    key = promise()
    for _ in range(5):
        later(seconds=30, kept=True)
        assert outbox.sweep() == 0
    assert offered() == [f"{key}-1"]
    later(seconds=30)
    assert outbox.sweep() == 1


def test_two_sweepers_share_the_work_and_never_a_row(app, offered, later):
    keys = [promise() for _ in range(6)]
    later(seconds=31)
    held = select(OutboxMessage.id).order_by(OutboxMessage.id).limit(2).with_for_update()
    with db.engine.connect() as other, other.begin():
        assert list(other.scalars(held)) == keys[:2]
        assert outbox.sweep() == 4
    assert outbox.sweep() == 2
    assert sorted(offered()) == sorted(f"{key}-2" for key in keys)


def test_sweep_takes_so_many_batches_at_a_time(offered, later, monkeypatch):
    monkeypatch.setattr(outbox, "SWEEP_BATCH", 2)
    monkeypatch.setattr(outbox, "SWEEP_BATCHES", 2)
    for _ in range(7):
        promise()
    later(seconds=31)
    assert [outbox.sweep() for _ in range(3)] == [4, 3, 0]


def test_same_offer_twice_lies_in_the_queue_once(offered):
    key = promise()
    outbox.offer([(key, 1, "default")] * 3)
    assert offered() == [f"{key}-1"]


# --- doing ------------------------------------------------------------------------------------------------------------


def test_performing_runs_the_job_and_marks_the_row_in_one_transaction(context):
    key = promise()
    jobs.perform(key)
    row = message(key)
    assert (row.state, row.last_error) == (OutboxState.DONE, None)
    assert row.finished_at
    assert departments("Astronomy") == 1


def test_performing_twice_runs_once(context):
    key = promise()
    jobs.perform(key)
    jobs.perform(key)
    assert departments("Astronomy") == 1
    assert message(key).last_error is None


def test_row_that_somebody_holds_is_left_to_them(context):
    key = promise()
    held = select(OutboxMessage.id).where(OutboxMessage.id == key).with_for_update()
    with db.engine.connect() as other, other.begin():
        other.execute(held)
        jobs.perform(key)
        assert message(key).state == OutboxState.WAITING
        db.session.rollback()
    assert departments("Astronomy") == 0
    jobs.perform(key)
    assert departments("Astronomy") == 1


def test_failing_job_leaves_nothing_half_done_and_says_why(context, later):
    key = promise("tests.foundation.test_outbox.add_and_fail")
    jobs.perform(key)
    row = message(key)
    assert (row.state, row.attempts) == (OutboxState.WAITING, 1)
    assert row.last_error == "RuntimeError: broken in the middle"
    assert (row.due_at - clock.now()).total_seconds() == 30
    assert departments("Astronomy") == 0


def test_failure_is_forgotten_when_it_works_the_next_time(context):
    key = promise()
    directory.create_department(name="Astronomy")
    db.session.commit()
    jobs.perform(key)
    assert "IntegrityError" in message(key).last_error
    directory.delete_department(db.session.scalars(select(Department).filter_by(name="Astronomy")).one())
    db.session.commit()
    jobs.perform(key)
    assert (message(key).state, message(key).last_error) == (OutboxState.DONE, None)


def test_job_that_always_fails_is_a_dead_letter_after_the_last_attempt(context, later):
    key = promise("tests.foundation.test_outbox.add_and_fail")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        assert (message(key).state, message(key).attempts) == (OutboxState.WAITING, attempt)
        jobs.perform(key)
        later(hours=2)
        outbox.sweep()
    row = message(key)
    assert (row.state, row.attempts) == (OutboxState.DEAD, MOST_ATTEMPTS)
    assert row.finished_at
    assert outbox.sweep() == 0
    jobs.perform(key)
    assert message(key).state == OutboxState.DEAD


def test_job_that_kills_its_worker_each_time_is_a_dead_letter_too(context, later):
    """An attempt is counted before the work starts, where the worker's end can't take it back."""
    key = promise("tests.foundation.test_outbox.end_the_worker")
    for attempt in range(1, MOST_ATTEMPTS + 1):
        with pytest.raises(SystemExit):
            jobs.perform(key)
        assert (message(key).state, message(key).begun) == (OutboxState.WAITING, attempt)
        later(hours=2)
        assert outbox.sweep() == (attempt < MOST_ATTEMPTS)
    row = message(key)
    assert (row.state, row.last_error) == (OutboxState.DEAD, outbox.WORKER_ENDED)
    assert row.finished_at


def test_work_that_no_worker_takes_up_is_late_and_never_dead(context, later):
    key = promise()
    for _ in range(3 * MOST_ATTEMPTS):
        later(hours=2)
        assert outbox.sweep() == 1
    assert (message(key).state, message(key).begun) == (OutboxState.WAITING, 0)
    jobs.perform(key)
    assert message(key).state == OutboxState.DONE


def test_work_that_was_begun_is_offered_again_within_the_first_lease(context, later):
    """However often it was offered before: a backlog makes leases long, a lost worker should not."""
    key = promise("tests.foundation.test_outbox.end_the_worker")
    for _ in range(5):
        later(hours=2)
        outbox.sweep()
    with pytest.raises(SystemExit):
        jobs.perform(key)
    assert (message(key).due_at - clock.now()).total_seconds() == 30


def test_dead_letter_is_given_all_its_attempts_anew(offered, later):
    key = promise("tests.foundation.test_outbox.add_and_fail")
    for _ in range(MOST_ATTEMPTS):
        jobs.perform(key)
    assert message(key).state == OutboxState.DEAD
    later(seconds=30)
    with transaction():
        outbox.try_again(message(key))
    assert (message(key).state, message(key).begun, message(key).finished_at) == (
        OutboxState.WAITING,
        0,
        None,
    )
    assert outbox.sweep() == 1
    assert offered()[-1] == f"{key}-2"
    jobs.perform(key)
    assert (message(key).state, message(key).begun) == (OutboxState.WAITING, 1)


def test_only_a_dead_letter_is_tried_again(context):
    key = promise()
    with pytest.raises(Conflict):
        outbox.try_again(message(key))
    jobs.perform(key)
    with pytest.raises(Conflict):
        outbox.try_again(message(key))
    assert outbox.try_all_again() == 0


@job
def end_the_worker(name: str) -> None:
    """What ends a process passes every `except Exception`."""
    raise SystemExit(name)


@pytest.mark.parametrize(
    "name", ["os.system", "app.nowhere.gone", "app.lifecycle.operations.plan_case", "", "app..", "app."]
)
def test_only_declared_jobs_are_run(context, name):
    with pytest.raises(LookupError, match="is no job"):
        jobs.resolve(name)
    key = promise(name)
    jobs.perform(key)
    assert message(key).last_error.startswith("LookupError")


def test_promise_made_by_a_job_is_offered_when_the_job_is_done(offered):
    key = promise("tests.foundation.test_outbox.promise_another")
    jobs.perform(key)
    assert message(key).state == OutboxState.DONE
    [other] = db.session.scalars(select(OutboxMessage.id).where(OutboxMessage.id != key)).all()
    assert offered()[-1] == f"{other}-1"


@job
def promise_another(name: str) -> None:
    """A job whose work is another promise."""
    outbox.enqueue(NAME, name)
