"""One portal for all faults: every process and both engines real, durable, and killed at will.

Its world is the smallest that plans anything: a template for everybody with three products, and one Admin, so that
each joiner makes exactly three tasks.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import redis
from rq import Queue

from tests.deployment import Deployment
from tests.runtime.processes import wait_until

PROCESSES = ("postgres", "redis", "worker", "scheduler", "web")
TASKS_EACH = 3
DRAIN_SECONDS = 30

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    loopback = {
        "OUTGOING_NETWORKS": "127.0.0.1",
        "OUTGOING_PORTS": "1024-65535",
        "OUTGOING_HTTP": "true",
    }
    with Deployment(tmp_path_factory.mktemp("faults"), **loopback) as deployment:
        deployment.open("worker", "scheduler", "web")
        furnish(deployment)
        yield deployment


@pytest.fixture
def portal(house: Deployment) -> Iterator[Deployment]:
    """Everything runs, whatever the test before did."""
    house.revive(*PROCESSES)
    wait_until(lambda: house.get("/health").json.get("redis") == "ok")
    yield house
    house.report()


@pytest.fixture
def newcomer() -> Callable[[], dict[str, str]]:
    """Somebody HR has never announced."""

    def make() -> dict[str, str]:
        number = next(_numbers)
        return {"name": f"Newcomer {number}", "email": f"newcomer.{number}@example.com"}

    return make


@pytest.fixture
def drained(portal: Deployment) -> Callable[..., None]:
    """Wait until no promise is left, with every process kept up.

    Time flies: leases run out at once and the sweeper comes often. Half a minute without anything done proves that nothing
    comes; offering rows that somebody is working on is the harder case.
    """
    courier = redis.Redis.from_url(portal.redis.url)
    queue = Queue(connection=courier)

    def look() -> tuple[int, int]:
        """How many promises are left, and how many were settled."""
        time.sleep(0.3)
        portal.revive(*PROCESSES)
        portal.rows("UPDATE outbox SET due_at = now() WHERE state = 'waiting' AND due_at > now()")
        with suppress(redis.RedisError):
            if queue.is_empty():
                queue.enqueue("app.foundation.processes.sweep")
        is_left = "count(*) FILTER (WHERE state = 'waiting')"
        [(left, settled)] = portal.rows(f"SELECT {is_left}, count(*) - {is_left} FROM outbox")
        return left, settled

    def wait(patience: float = DRAIN_SECONDS) -> None:
        (left, before), deadline = look(), time.monotonic() + patience
        while left:
            assert time.monotonic() < deadline, f"{left} promises, and nothing is done about them"
            left, settled = look()
            if settled > before:
                before, deadline = settled, time.monotonic() + patience

    return wait


def furnish(portal: Deployment) -> None:
    """A template for everybody with three products."""
    token = portal.token_of("first")

    def add(resource: str, **fields: object) -> int:
        answer = portal.send("POST", f"/api/v1/{resource}/", fields, token=token)
        assert answer.status == 201, answer.body
        return int(answer.json["id"])

    service = add("services", name="Suite")
    products = [add("products", service_id=service, name=name) for name in ("Mail", "Drive", "Chat")]
    add("access-templates", name="Everybody", product_ids=products)
