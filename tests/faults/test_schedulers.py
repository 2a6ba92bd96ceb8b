"""Periodic work: two schedulers, an emptied Redis, ticks without number, and each slot is run once."""

from contextlib import contextmanager, suppress

import psycopg2
import pytest
import redis
from rq import Queue

from tests.runtime.processes import wait_until

pytestmark = pytest.mark.faults

RUNS = "SELECT job, slot, count(*) FROM scheduled_runs GROUP BY 1, 2"
PROMISES = """
    SELECT count(*) FROM outbox WHERE job = 'app.foundation.ticking.run_slot'
    AND (arguments->>0)::int IN (SELECT id FROM scheduled_runs)
"""

LOST = """
    INSERT INTO outbox (job, arguments, queue, state, attempts, begun, due_at, created_at)
    VALUES ('app.lifecycle.jobs.leave_on_last_days', '[]', 'default', 'waiting', 1, 0, now(), now()) RETURNING id
"""
INSTANCES = "rq:scheduler_instance:*"
STATE = "SELECT state FROM outbox WHERE id = %s"
LEAVING = "app.lifecycle.jobs.leave_on_last_days"
RUNNING = "SELECT attempts FROM scheduled_runs WHERE job = %s AND state = 'running'"


@pytest.fixture
def courier(portal):
    return redis.Redis.from_url(portal.redis.url)


def forget_slots(portal):
    """As if the last slot had only just come."""
    portal.rows("DELETE FROM scheduled_runs")


def all_slots_ran(portal):
    finished = portal.rows("SELECT finished_at IS NOT NULL FROM scheduled_runs")
    return finished and all(done for [done] in finished)


def test_two_schedulers_and_many_ticks_run_each_slot_once(portal, courier):
    try:
        portal.start("scheduler.2", "worker.2")
        forget_slots(portal)
        queue = Queue(connection=courier)
        for _ in range(20):
            queue.enqueue("app.foundation.processes.tick")
        wait_until(lambda: all_slots_ran(portal) and queue.is_empty())
        assert {count for _, _, count in portal.rows(RUNS)} == {1}
        assert portal.one(PROMISES) == len(portal.rows(RUNS))
        assert portal.running["scheduler"].alive
        assert portal.running["scheduler.2"].alive
    finally:
        portal.kill("scheduler.2")
        portal.kill("worker.2")


def test_emptied_redis_gets_its_ticks_back(portal, courier):
    """Both of them: the tick that promises slots, and the sweep that offers what got lost."""
    forget_slots(portal)
    lost = portal.one(LOST)
    courier.flushdb()
    wait_until(lambda: all_slots_ran(portal) and portal.one(STATE, lost) == "done", 35)
    assert {count for _, _, count in portal.rows(RUNS)} == {1}


def test_killed_scheduler_is_followed_by_the_other(portal, courier):
    """Even if it dies holding its lock, which then runs out."""
    known = set(courier.scan_iter(INSTANCES))
    try:
        portal.start("scheduler.2")
        wait_until(lambda: set(courier.scan_iter(INSTANCES)) - known)
        portal.kill("scheduler")
        courier.set("rq:scheduler_lock", "a dead scheduler's", ex=5)
        forget_slots(portal)
        courier.zadd("rq:scheduler:scheduled_jobs", {"portalops-tick": 0})
        wait_until(lambda: all_slots_ran(portal), 35)
    finally:
        portal.kill("scheduler.2")


def test_redis_down_at_the_hour_delays_the_run_and_runs_it_once(portal, courier):
    """The scheduler and the worker live on, or come back; nobody promised the slot meanwhile, and one run is made up."""
    portal.kill("redis")
    forget_slots(portal)
    wait_until(lambda: portal.get("/health").json.get("redis") != "ok")
    assert portal.rows(RUNS) == []

    def caught_up() -> bool:
        """The next tick comes at once instead of within the minute."""
        portal.revive("redis", "worker", "scheduler")
        with suppress(redis.RedisError):
            courier.zadd("rq:scheduler:scheduled_jobs", {"portalops-tick": 0})
        return bool(all_slots_ran(portal))

    wait_until(caught_up, 90)
    assert {count for _, _, count in portal.rows(RUNS)} == {1}
    assert {state for [state] in portal.rows("SELECT DISTINCT state FROM scheduled_runs")} == {"done"}


def test_worker_killed_in_the_middle_of_a_run_is_followed_by_one_that_finishes_it(portal, courier):
    """The run is seen running, nothing of it is kept, and the next attempt does it once."""
    with held_up(portal):
        forget_slots(portal)
        courier.zadd("rq:scheduler:scheduled_jobs", {"portalops-tick": 0})
        wait_until(lambda: portal.rows(RUNNING, LEAVING), 60)
        portal.kill("worker")
    assert portal.rows(RUNNING, LEAVING) == [(1,)]
    portal.start("worker")

    def finished() -> bool:
        portal.rows("UPDATE outbox SET due_at = now() WHERE state = 'waiting' AND due_at > now()")
        return portal.rows("SELECT 1 FROM scheduled_runs WHERE job = %s AND state = 'done'", LEAVING) == [
            (1,)
        ]

    wait_until(finished, 60)
    attempts, slots = portal.rows(
        "SELECT max(attempts), count(*) FROM scheduled_runs WHERE job = %s", LEAVING
    )[0]
    assert (attempts >= 2, slots) == (True, 1)


@contextmanager
def held_up(portal):
    """Let the job that signs leavers out wait in the middle of its work: somebody holds the leaver's row."""
    person = portal.one(
        "INSERT INTO users (name, email, active, last_day, created_at, updated_at)"
        " VALUES ('Held Up', 'held.up@example.com', true, current_date - 1, now(), now()) RETURNING id"
    )
    holder = psycopg2.connect(portal.database_url.replace("+psycopg2", ""))
    try:
        holder.cursor().execute("SELECT 1 FROM users WHERE id = %s FOR UPDATE", [person])
        yield
    finally:
        holder.close()
