"""Messages under `kill -9` and without Redis: each arrives once, or is seen as failed and can be sent again."""

import time

import pytest

from tests.deployment import Deployment
from tests.postoffice import PostOffice, post_office
from tests.runtime.processes import wait_until

pytestmark = pytest.mark.faults

PROCESSES = ("postgres", "redis", "worker", "scheduler", "web")
STATES = "SELECT state, count(*) FROM messages WHERE kind = 'task' GROUP BY state"
SETTLED = "SELECT count(*) FROM messages WHERE kind = 'task' AND state IN ('sent', 'failed', 'dead')"


@pytest.fixture
def office():
    with post_office() as opened:
        yield opened


@pytest.fixture
def portal(office: PostOffice, tmp_path):
    """A portal whose mail goes to a real server; the only Admin gets every task of every joiner."""
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(office.port), "SMTP_STARTTLS": "false"}
    with Deployment(tmp_path, **mail) as deployment:
        deployment.open("worker", "scheduler", "web")
        yield deployment


def announce(portal: Deployment, number: int) -> None:
    answer = portal.hr("onboarding", name=f"Newcomer {number}", email=f"newcomer.{number}@example.com")
    assert answer.status == 202


def hurry(portal: Deployment) -> None:
    """Time flies: what is leased or claimed is overdue at once."""
    portal.revive(*PROCESSES)
    portal.rows("UPDATE outbox SET due_at = now() WHERE state = 'waiting' AND due_at > now()")
    portal.rows("UPDATE messages SET claimed_at = claimed_at - interval '1 hour' WHERE state = 'sending'")
    portal.rows("UPDATE messages SET due_at = now() WHERE state = 'waiting' AND due_at > now()")
    time.sleep(0.5)


def settle(portal: Deployment, count: int) -> None:
    def done() -> bool:
        hurry(portal)
        return portal.one(SETTLED) == count

    wait_until(done, 90)


def assert_each_arrived_once(portal: Deployment, ids: list[str]) -> None:
    """Of the tasks; a list of them may have gone out too, since a new portal runs each periodic job at once."""
    tasks = [key for (key,) in portal.rows("SELECT message_id FROM messages WHERE kind = 'task'")]
    assert sorted(key for key in ids if key in tasks) == sorted(tasks)


def test_worker_killed_between_send_and_record_sends_nothing_twice(portal, office):
    """The server holds its answer until the worker is dead, so the mail was taken and nobody wrote it down."""
    taken = []

    def kill_after_taking(mail) -> None:
        taken.append(mail["Message-ID"])
        if len(taken) == 3:
            portal.kill("worker")

    office.data = kill_after_taking
    for number in range(6):
        announce(portal, number)
    wait_until(lambda: len(taken) >= 3, 60)
    settle(portal, 6)
    assert_each_arrived_once(portal, taken)
    assert dict(portal.rows(STATES)) == {"sent": 5, "failed": 1}
    [(answer,)] = portal.rows("SELECT answer FROM messages WHERE state = 'failed'")
    assert "It may have arrived" in answer


def test_mail_leaves_once_although_redis_was_down_when_it_was_decided(portal, office):
    portal.kill("redis")
    for number in range(3):
        announce(portal, number)
    assert office.mails == []
    settle(portal, 3)
    assert_each_arrived_once(portal, [one.mail["Message-ID"] for one in office.mails])
    assert dict(portal.rows(STATES)) == {"sent": 3}
