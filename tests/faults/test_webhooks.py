"""Webhooks over killed workers and a Redis that is gone: each message arrives, and doubles can be told by their id."""

import itertools

import pytest

from tests.receiver import answer, receiving
from tests.runtime.processes import wait_until

pytestmark = pytest.mark.faults

STATES = """
    SELECT delivery.state FROM webhook_deliveries delivery JOIN webhook_endpoints endpoint ON endpoint.id = endpoint_id
    WHERE endpoint.id = %s ORDER BY delivery.id
"""
DUE = "UPDATE webhook_deliveries SET due_at = now() WHERE state = 'waiting'"
_numbers = itertools.count(1)


@pytest.fixture
def told(portal):
    """`told(receiver)` makes an endpoint of it; whatever was made is gone after the test."""
    token, made = portal.token_of("first"), []

    def make(receiver) -> int:
        body = {
            "name": f"Receiver {next(_numbers)}",
            "url": receiver.url(),
            "event_types": ["service.created"],
        }
        created = portal.send("POST", "/api/v1/webhook-endpoints/", body, token=token)
        assert created.status == 201, created.body
        made.append(created.json["id"])
        return made[-1]

    yield make
    for key in made:
        portal.rows("DELETE FROM webhook_endpoints WHERE id = %s", key)


def happen(portal) -> None:
    name = f"Told of {next(_numbers)}"
    created = portal.send("POST", "/api/v1/services/", {"name": name}, token=portal.token_of("first"))
    assert created.status == 201, created.body


def states(portal, endpoint: int) -> list[str]:
    return [state for (state,) in portal.rows(STATES, endpoint)]


def test_worker_killed_before_it_wrote_the_answer_down(portal, told, drained):
    held: list = []

    def hold(handler) -> None:
        """Takes the message, and answers only when its sender is dead."""
        held.append(handler)
        handler.server.receiver.over.wait(30)

    with receiving(hold, answer(200)) as receiver:
        endpoint = told(receiver)
        happen(portal)
        wait_until(lambda: held)
        portal.kill("worker")
        portal.revive("worker")
        assert states(portal, endpoint) == ["waiting"]
        portal.rows(DUE)
        drained()
        wait_until(lambda: states(portal, endpoint) == ["delivered"])
    ids = [one.headers["webhook-id"] for one in receiver.requests]
    assert len(ids) == 2
    assert len(set(ids)) == 1, "arrived once, by its id"


def test_what_happened_without_redis_arrives_when_it_is_back(portal, told, drained):
    with receiving(answer(200)) as receiver:
        endpoint = told(receiver)
        portal.kill("redis")
        for _ in range(3):
            happen(portal)
        assert states(portal, endpoint) == ["waiting"] * 3
        portal.revive("redis")
        drained()
        wait_until(lambda: states(portal, endpoint) == ["delivered"] * 3)
    assert len(receiver.requests) == 3
