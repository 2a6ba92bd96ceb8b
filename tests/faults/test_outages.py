"""An engine goes away, or accepts and never answers: the portal says so quickly, and catches up by itself."""

from functools import partial

import pytest

from tests.browsing import Browser
from tests.deployment import at_once
from tests.faults.conftest import TASKS_EACH
from tests.runtime.processes import wait_until

pytestmark = pytest.mark.faults

QUICK_SECONDS = 3
CALLS = 8


def tasks_of(portal, people):
    query = "SELECT email, count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email = ANY(%s) GROUP BY 1"
    return dict(portal.rows(query, [person["email"] for person in people]))


def announce(portal, people):
    """All at once; HR gets its answer quickly whatever state the courier is in."""
    answers = at_once([partial(portal.hr, "onboarding", **person) for person in people])
    assert {answer.status for answer in answers} == {202}
    assert max(answer.seconds for answer in answers) < QUICK_SECONDS
    return answers


def test_redis_gone_delays_the_work_and_loses_none(portal, newcomer, drained):
    portal.kill("redis")
    people = [newcomer() for _ in range(CALLS)]
    announce(portal, people)
    health = portal.get("/health")
    assert (health.status, health.json["status"]) == (200, "healthy")
    assert health.json["redis"] == "unreachable, work waits"
    assert tasks_of(portal, people) == {}
    portal.start("redis")
    drained()
    assert tasks_of(portal, people) == {person["email"]: TASKS_EACH for person in people}


def test_redis_that_never_answers_holds_nobody_up(portal, newcomer, drained):
    people = [newcomer() for _ in range(CALLS)]
    browser = Browser(f"http://127.0.0.1:{portal.port}")
    with portal.frozen("redis"):
        announce(portal, people)
        health = portal.get("/health")
        assert (health.status, health.json["redis"]) == (200, "unreachable, work waits")
        assert health.seconds < QUICK_SECONDS
        assert browser.sign_in("first").status == 200
    drained()
    assert tasks_of(portal, people) == {person["email"]: TASKS_EACH for person in people}


def test_postgres_stopped_is_said_and_nothing_is_acknowledged(portal, newcomer, drained):
    lost, kept = newcomer(), newcomer()
    browser = Browser(f"http://127.0.0.1:{portal.port}")
    assert browser.sign_in("first").status == 200
    token = portal.token_of("first")
    portal.stop("postgres")
    health = portal.get("/health")
    assert (health.status, health.json["status"]) == (503, "unhealthy")
    refused = [
        portal.hr("onboarding", **lost),
        portal.get("/api/services", token=token),
        portal.get("/api/v1/services/", token=token),
        portal.send("POST", "/api/auth/login", {"email": "first@example.com", "password": "x"}),
    ]
    for answer in refused:
        assert (answer.status, answer.json["error"]) == (503, "unavailable")
        assert answer.json.keys() == {"error", "message", "detail"}
        assert b"sql" not in answer.body.lower()
        assert int(answer.headers["Retry-After"]) > 0
    page = browser.get("/inbox/")
    assert page.status == 503
    assert page.headers["Content-Type"].startswith("text/html")
    assert "sqlalche" not in page.html.lower()
    assert portal.get("/static/portal/css/base.css").status == 200

    portal.start("postgres")
    wait_until(lambda: portal.get("/health").status == 200, 10)
    assert portal.hr("onboarding", **kept).status == 202
    drained()
    assert tasks_of(portal, [lost, kept]) == {kept["email"]: TASKS_EACH}


def test_worker_outlives_an_outage_of_postgres(portal, newcomer, drained):
    """Work that can't be done because the database is away is not given up."""
    person = newcomer()
    portal.stop("worker")
    assert portal.hr("onboarding", **person).status == 202
    portal.stop("postgres")
    portal.start("worker")
    worker = portal.running["worker"]
    wait_until(lambda: "OperationalError" in worker.output or not worker.alive)
    portal.start("postgres")
    drained()
    assert tasks_of(portal, [person]) == {person["email"]: TASKS_EACH}


def test_web_stopped_by_its_supervisor_finishes_what_it_answers(portal, newcomer, drained):
    """SIGTERM under load: whoever got an answer got a whole one, and what was acknowledged is done."""
    people = [newcomer() for _ in range(40)]
    process = portal.running["web"]

    def call(number):
        if number == 20:
            portal.running["web"].signal(15)
        try:
            return portal.hr("onboarding", **people[number]).status
        except OSError:
            return None

    statuses = at_once([partial(call, number) for number in range(len(people))])
    process.end()
    assert set(statuses) <= {202, None}
    drained()
    acknowledged = [person for person, status in zip(people, statuses, strict=True) if status == 202]
    assert tasks_of(portal, acknowledged) == {person["email"]: TASKS_EACH for person in acknowledged}
