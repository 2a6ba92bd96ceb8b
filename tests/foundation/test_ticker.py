"""The scheduler's own entries in Redis: put back when they are lost, and when a clock set back left them far ahead."""

import time

import pytest

from app.foundation import redis_client
from app.foundation.processes import SWEEP_SECONDS, TICK_SECONDS, Ticker

ENTRIES = Ticker.scheduled_jobs_key
AHEAD = {"portalops-tick": TICK_SECONDS, "portalops-sweep": SWEEP_SECONDS}
HOUR = 3_600


@pytest.fixture
def redis(context):
    return redis_client.quick()


@pytest.fixture
def poll(redis):
    """What the scheduler does every few seconds."""
    return Ticker(connection=redis).enqueue_jobs


def ahead(redis) -> dict[str, float]:
    """In how many seconds each entry is due."""
    return {key.decode(): due - time.time() for key, due in redis.zrange(ENTRIES, 0, -1, withscores=True)}


def in_time(redis) -> bool:
    found = ahead(redis)
    return found.keys() == AHEAD.keys() and all(seconds <= AHEAD[key] for key, seconds in found.items())


def test_missing_entries_are_put_back(redis, poll):
    poll()
    assert in_time(redis)


def test_clock_set_back_by_an_hour_does_not_stop_the_ticks_for_an_hour(redis, poll):
    poll()
    for key in AHEAD:
        redis.zincrby(ENTRIES, HOUR, key)
    assert not in_time(redis)
    poll()
    assert in_time(redis)


def test_entry_that_is_not_yet_due_is_left_alone(redis, poll):
    poll()
    due = time.time() + TICK_SECONDS - 1
    redis.zadd(ENTRIES, {"portalops-tick": due})
    poll()
    assert redis.zscore(ENTRIES, "portalops-tick") == due
