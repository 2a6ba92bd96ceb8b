"""Receivers that never answer, answer too late or too much, and drains that share the work: nobody is held up."""

import threading
import time

import pytest

from app.foundation.database import db
from app.foundation.outbox import OutboxMessage
from app.webhooks import operations as webhooks
from app.webhooks.models import DeliveryState
from app.webhooks.operations import delivering
from tests.receiver import answer, dripping, never, receiving
from tests.webhooks.conftest import verified
from tests.webhooks.happening import happen


@pytest.fixture
def impatient(monkeypatch):
    """Half a second instead of ten."""
    from app.foundation import outgoing  # noqa: PLC0415

    monkeypatch.setattr(outgoing.post, "__defaults__", (0.5,))


@pytest.mark.parametrize("slow", [never, dripping])
def test_who_never_answers_holds_nobody_up(endpoint, deliveries, impatient, slow):
    with receiving(slow) as silent, receiving(answer(200)) as quick:
        endpoint(silent, name="Silent")
        endpoint(quick, name="Quick")
        for number in range(4):
            happen(f"Service {number}")
        webhooks.drain()
    found = {(one.endpoint.name, one.state, one.attempts) for one in deliveries()}
    assert ("Quick", "delivered", 1) in found
    assert len(quick.requests) == 4
    assert len(silent.requests) <= delivering.TOGETHER_AT_ONE, "left alone until the next drain"
    assert {state for name, state, _ in found if name == "Silent"} == {"waiting"}
    assert "No answer within" in next(
        one.last_error for one in deliveries() if one.endpoint.name == "Silent" and one.last_error
    )
    assert webhooks.count_due() == 4 - len(silent.requests), "found by the look of the next minute"


def test_10_megabytes_are_cut(endpoint, deliveries):
    with receiving(answer(200, b"\x00x" * 5_000_000)) as receiver:
        endpoint(receiver)
        happen()
        webhooks.drain()
    delivery = deliveries()[0]
    assert delivery.state == "delivered"
    assert delivery.calls[0].is_cut
    assert len(delivery.calls[0].response_body) == 65_536


def test_worker_killed_between_send_and_commit_sends_the_same_again(endpoint, deliveries, make_due):
    """The receiver drops what it has, by the id."""
    with receiving(answer(200)) as receiver:
        made = endpoint(receiver)
        happen()
        (call,) = delivering.claim(1)
        outcome = webhooks.make_call(call, delivering.current_app.config["OUTGOING"])
        assert outcome.status == 200
        db.session.rollback()  # ... and nobody is left to write it down
        assert webhooks.drain() == 0, "leased: it may still be under way"
        make_due()
        webhooks.drain()
    ids = [one.headers["webhook-id"] for one in receiver.requests]
    assert len(ids) == 2
    assert len(set(ids)) == 1, "arrived once"
    delivery = deliveries()[0]
    assert (delivery.state, delivery.attempts) == ("delivered", 2)
    assert [call.milliseconds is None for call in delivery.calls] == [False, True]
    assert verified(receiver.requests[1], made)


def test_answer_that_comes_too_late_changes_nothing(endpoint, deliveries, make_due):
    """Its lease ran out and another worker delivered: what the first writes down is only its own attempt."""
    with receiving(answer(500), answer(200)) as receiver:
        endpoint(receiver)
        happen()
        (call,) = delivering.claim(1)
        late = webhooks.make_call(call, delivering.current_app.config["OUTGOING"])
        make_due()
        webhooks.drain()
        webhooks.record(call, late)
        db.session.commit()
    delivery = deliveries()[0]
    assert (delivery.state, delivery.last_status) == ("delivered", 200)
    assert [one.status for one in delivery.calls] == [200, 500]


def test_two_drains_share_the_work(app, endpoint, deliveries):
    """Several workers, each with its own connection."""
    with receiving() as receiver:
        for name in "abcd":
            endpoint(receiver, name=name)
        for number in range(5):
            happen(f"Service {number}")

        def work() -> None:
            with app.app_context():
                webhooks.drain()
                db.session.remove()

        workers = [threading.Thread(target=work) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert {one.state for one in deliveries()} == {"delivered"}
    assert {one.attempts for one in deliveries()} == {1}
    arrived = [one.headers["webhook-id"] for one in receiver.requests]
    assert len(arrived) == 20
    assert len(set(arrived)) == 5


def test_drain_ends_in_time(endpoint, deliveries):
    with receiving() as receiver:
        endpoint(receiver)
        happen()
        began = time.monotonic()
        assert webhooks.drain(seconds=0) == 0
        assert time.monotonic() - began < 2
    assert deliveries()[0].state == DeliveryState.WAITING


def test_redis_gone_loses_nothing(endpoint, deliveries, monkeypatch, run_jobs):
    """The promise is a row; the look of each minute finds what is due even without one."""
    from app.foundation import outbox  # noqa: PLC0415
    from app.webhooks import jobs  # noqa: PLC0415

    with receiving() as receiver:
        endpoint(receiver)
        monkeypatch.setattr(outbox, "offer", lambda _offers: None)
        happen()
        db.session.execute(OutboxMessage.__table__.delete())
        assert jobs.look_for_due() == "1 due"
        db.session.commit()
        run_jobs()
    assert len(receiver.requests) == 1
    assert deliveries()[0].state == "delivered"
