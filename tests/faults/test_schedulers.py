"""Periodic work: two schedulers, an emptied Redis, ticks without number, and each slot is run once."""

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
