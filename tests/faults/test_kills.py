"""`kill -9` in the middle of work: what was acknowledged is done, and done once."""

import http.client
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial

import pytest

from tests.deployment import Deployment, at_once
from tests.faults.announcing import not_as_promised
from tests.faults.conftest import TASKS_EACH

pytestmark = pytest.mark.faults

CLIENTS = 4
KILLS = 4


@pytest.fixture
def chance() -> random.Random:
    """Chance with a seed that a failed test shows; `FAULTS_SEED=123 pytest ...` chooses the same victims again."""
    seed = os.environ.get("FAULTS_SEED") or str(random.SystemRandom().randrange(10**6))
    print(f"FAULTS_SEED={seed}")  # noqa: T201
    return random.Random(seed)


def announce_until_acknowledged(portal: Deployment, person: dict[str, str], seconds: float = 30) -> int:
    """As HR's system does: the same delivery again until it is answered with 2xx. Returns the number of attempts."""
    deadline = time.monotonic() + seconds
    for attempt in range(1, 10_000):
        try:
            answer = portal.hr("onboarding", headers={"webhook-id": person["email"]}, **person)
        except (OSError, http.client.HTTPException):
            pass
        else:
            if answer.status in {200, 202}:
                return attempt
            assert answer.status == 503, answer
        assert time.monotonic() < deadline, f"{person} was not acknowledged in {seconds} s"
        time.sleep(0.1)
    raise AssertionError


@pytest.mark.parametrize("victims", [["worker"], ["redis"], ["web"], ["worker", "redis", "web", "postgres"]])
def test_every_acknowledged_event_ends_with_exactly_its_tasks(portal, newcomer, drained, chance, victims):
    people = [newcomer() for _ in range(60)]

    def send(share: list[dict[str, str]]) -> int:
        return sum(announce_until_acknowledged(portal, person) for person in share)

    with ThreadPoolExecutor(CLIENTS) as pool:
        sending = [pool.submit(send, people[number::CLIENTS]) for number in range(CLIENTS)]
        kills = 0
        while kills < KILLS and not all(future.done() for future in sending):
            wait(sending, chance.uniform(0.2, 0.7))
            victim = chance.choice(victims)
            portal.kill(victim)
            wait(sending, chance.uniform(0, 0.3))
            portal.revive(victim)
            kills += 1
        attempts = sum(future.result() for future in sending)
    print(f"{attempts} attempts for {len(people)} events, {kills} kills")  # noqa: T201
    assert kills > 0
    drained()
    emails = sorted(person["email"] for person in people)
    assert not_as_promised(portal, emails, TASKS_EACH) == []


def test_worker_killed_over_a_full_queue_loses_nothing(portal, newcomer, drained, chance):
    """Announced while no worker runs, then killed again and again while it catches up."""
    portal.stop("worker")
    people = [newcomer() for _ in range(80)]
    assert {
        answer.status for answer in at_once([partial(portal.hr, "onboarding", **one) for one in people])
    } == {202}
    planned = "SELECT count(*) FROM hr_events WHERE planned_at IS NOT NULL AND person_id IN (SELECT id FROM users WHERE email = ANY(%s))"
    emails = sorted(person["email"] for person in people)
    goals = sorted(chance.sample(range(1, 70), 3))
    for goal in goals:
        portal.start("worker")
        _wait_for(lambda goal=goal: portal.one(planned, emails) >= goal)
        portal.kill("worker")
    assert portal.one(planned, emails) < len(people), "killed too late to prove anything"
    drained()
    assert not_as_promised(portal, emails, TASKS_EACH) == []


def _wait_for(condition, timeout: float = 60) -> None:
    """Without a pause: the kill must come in the middle of the next job."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
