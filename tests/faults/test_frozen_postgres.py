"""A PostgreSQL that accepts and never answers: every page says so within three seconds, and all is well afterwards."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from tests.browsing import Browser
from tests.deployment import Deployment, at_once
from tests.faults.conftest import TASKS_EACH
from tests.runtime.processes import wait_until

pytestmark = pytest.mark.faults

QUICK_SECONDS = 3
CALLS = 16


@contextmanager
def still(portal: Deployment) -> Iterator[None]:
    """Stop the whole server, not only the process that lets people in."""
    server = portal.running["postgres"]
    portal.running["postgres"].signal(signal.SIGSTOP)
    backends = server.descendants()
    for backend in backends:
        backend.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for backend in backends:
            backend.send_signal(signal.SIGCONT)
        server.signal(signal.SIGCONT)


def test_postgres_that_never_answers_holds_nobody_up(portal, newcomer, drained):
    browser = Browser(f"http://127.0.0.1:{portal.port}")
    assert browser.sign_in("first").status == 200
    token, lost, kept = portal.token_of("first"), newcomer(), newcomer()
    calls = [
        partial(portal.get, "/api/services", token=token),
        partial(portal.get, "/api/v1/services/", token=token),
        partial(portal.hr, "onboarding", **lost),
        partial(portal.get, "/health"),
    ]
    with still(portal):
        for _ in range(2):
            answers = at_once(calls * (CALLS // len(calls)))
            assert {answer.status for answer in answers} == {503}
            assert max(answer.seconds for answer in answers) < QUICK_SECONDS
            named = [answer for answer in answers if answer.json.get("status") != "unhealthy"]
            assert {int(answer.headers["Retry-After"]) > 0 for answer in named} == {True}
        assert portal.get("/static/portal/css/base.css").status == 200
        page = browser.get("/inbox/")
        assert page.status == 503
        assert page.headers["Content-Type"].startswith("text/html")
    wait_until(lambda: portal.get("/health").status == 200, 10)
    assert portal.get("/api/services", token=token).status == 200
    assert browser.get("/inbox/").status == 200
    assert portal.hr("onboarding", **kept).status == 202
    drained()
    tasks = "SELECT count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email = %s"
    assert portal.one(tasks, kept["email"]) == TASKS_EACH
    assert portal.one("SELECT count(*) FROM users WHERE email = %s", lost["email"]) == 0
