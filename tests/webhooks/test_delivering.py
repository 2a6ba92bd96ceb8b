"""Messages arrive once, or are visible as failed and can be replayed, whatever the other side does."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook, WebhookVerificationError

from app.foundation import clock
from app.foundation.backoff import WAITS
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage
from app.foundation.reachable import Rules
from app.foundation.sealing import unseal
from app.foundation.trace import following
from app.inventory import operations as inventory
from app.webhooks import operations as webhooks
from app.webhooks.models import DeliveryState, WebhookAttempt, WebhookDelivery
from app.webhooks.operations import delivering
from tests.receiver import answer, receiving
from tests.webhooks.conftest import verified
from tests.webhooks.happening import actions, happen, notices


def test_event_arrives_signed(endpoint, deliveries):
    with receiving(answer(200, b"ok")) as receiver, following("asked-by-somebody"):
        made = endpoint(receiver)
        happen()
        assert webhooks.drain() == 1
    body = verified(receiver.requests[0], made)
    assert (body["type"], body["version"], body["data"]["name"]) == ("service.created", 1, "Zoom")
    headers = receiver.requests[0].headers
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"].startswith("msg_")
    assert headers["user-agent"].startswith("PortalOps/")
    assert headers["x-request-id"] == "asked-by-somebody"
    delivery = deliveries()[0]
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 200)
    assert delivery.endpoint.last_success_at
    attempt = delivery.calls[0]
    assert (attempt.status, attempt.response_body, attempt.address) == (200, "ok", "127.0.0.1")
    assert attempt.request_headers["webhook-id"] == headers["webhook-id"]
    assert attempt.milliseconds is not None


def test_only_whoever_subscribed_is_told(endpoint, deliveries):
    with receiving() as receiver:
        endpoint(receiver, name="Persons", event_types=["person.joined"])
        endpoint(receiver, name="Off", enabled=False)
        endpoint(receiver, name="Services", event_types=["person.joined", "service.created"])
        happen()
    assert [one.endpoint.name for one in deliveries()] == ["Services"]


def test_what_is_undone_is_told_to_nobody(endpoint, deliveries):
    with receiving() as receiver:
        endpoint(receiver)
        inventory.create_service(name="Undone")
        db.session.rollback()
        savepoint = db.session.begin_nested()
        inventory.create_service(name="Undone in a savepoint")
        savepoint.rollback()
        happen("Done")
        webhooks.drain()
    assert [one.message.body.count("Done") for one in deliveries()] == [1]
    assert len(receiver.requests) == 1


def test_500_then_200_arrives_once(endpoint, deliveries, make_due):
    with receiving(answer(500, b"broken"), answer(200)) as receiver:
        made = endpoint(receiver)
        happen()
        webhooks.drain()
        delivery = deliveries()[0]
        assert (delivery.state, delivery.last_error) == ("waiting", "Answered 500 Internal Server Error.")
        assert timedelta(seconds=3) < delivery.due_at - clock.now() < timedelta(seconds=7)
        assert made.failing_since
        assert webhooks.drain() == 0, "its time has not come"
        make_due()
        webhooks.drain()
    delivery = deliveries()[0]
    assert (delivery.state, delivery.attempts, made.failing_since) == ("delivered", 2, None)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert [call.status for call in delivery.calls] == [200, 500]


def test_short_wait_is_promised_to_the_outbox(endpoint):
    with receiving(answer(500)) as receiver:
        endpoint(receiver)
        happen()
        webhooks.drain()
    promised = db.session.scalars(select(OutboxMessage).where(OutboxMessage.attempts == 0)).all()
    assert [(one.job, one.queue) for one in promised] == [("app.webhooks.jobs.deliver_due", "messages")]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(endpoint, deliveries, status):
    with receiving(answer(status, Retry_After="3600")) as receiver:
        endpoint(receiver)
        happen()
        webhooks.drain()
    wait = deliveries()[0].due_at - clock.now()
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


def test_retry_after_may_be_a_date_and_is_a_day_at_most(endpoint, deliveries):
    date = format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)
    with (
        receiving(answer(429, Retry_After=date)) as dated,
        receiving(answer(429, Retry_After="99999999999999")) as endless,
        receiving(answer(429, Retry_After="soon")) as vague,
    ):
        for name, receiver in {"a": dated, "b": endless, "c": vague}.items():
            endpoint(receiver, name=name)
        happen()
        webhooks.drain()
    waits = [one.due_at - clock.now() for one in deliveries()]
    assert timedelta(hours=1, minutes=59) < waits[0] < timedelta(hours=2, minutes=1)
    assert timedelta(hours=23) < waits[1] <= timedelta(hours=24)
    assert waits[2] < timedelta(seconds=10)


def test_410_turns_the_endpoint_off(endpoint, deliveries):
    with receiving(answer(410)) as receiver:
        made = endpoint(receiver)
        happen()
        webhooks.drain()
        happen("Never heard of")
        webhooks.drain()
    assert (made.enabled, made.state) == (False, "disabled")
    assert "410" in made.disabled_reason
    assert [one.state for one in deliveries()] == ["failed"]
    assert notices() == ["Ticket system was turned off"]
    assert actions()[-1] == "webhook_endpoint.update"
    assert len(receiver.requests) == 1


def test_redirect_to_an_internal_address_is_a_failure(endpoint, deliveries):
    with receiving(answer(200)) as inside:
        with receiving(answer(302, Location=inside.url(path="/admin"))) as receiver:
            endpoint(receiver)
            happen()
            webhooks.drain()
        assert inside.requests == []
    delivery = deliveries()[0]
    assert (delivery.state, delivery.last_error) == ("waiting", "Answered 302 Found.")
    assert delivery.calls[0].response_headers["location"] == inside.url(path="/admin")


def test_address_that_is_not_allowed_is_called_by_nobody(app, endpoint, deliveries, monkeypatch):
    """Allowed when it was entered, and no more."""
    with receiving() as receiver:
        endpoint(receiver)
        monkeypatch.setitem(app.config, "OUTGOING", Rules(ports=(range(1, 65536),), http=True))
        happen()
        webhooks.drain()
    assert receiver.requests == []
    assert "inside of a network" in deliveries()[0].last_error


def test_endpoint_deleted_meanwhile_is_forgotten(endpoint, deliveries):
    with receiving(answer(200)) as receiver:
        made = endpoint(receiver)
        happen()
        (call,) = delivering.claim(1)
        webhooks.delete_endpoint(made)
        db.session.commit()
        webhooks.record(call, webhooks.make_call(call, delivering.current_app.config["OUTGOING"]))
        db.session.commit()
        webhooks.drain()
    assert deliveries() == []
    assert db.session.scalars(select(WebhookAttempt)).all() == []


def test_endpoint_turned_off_fails_what_waits(endpoint, deliveries):
    with receiving() as receiver:
        made = endpoint(receiver)
        happen()
        webhooks.change_endpoint(made, enabled=False)
        db.session.commit()
        webhooks.drain()
    assert receiver.requests == []
    assert [(one.state, one.last_error) for one in deliveries()] == [
        ("failed", "The endpoint was turned off before this arrived.")
    ]


def test_dead_letter_after_ten_attempts_is_told_to_admins_once(endpoint, deliveries, make_due):
    with receiving(answer(500)) as receiver:
        made = endpoint(receiver)
        happen()
        happen("Another")
        for _ in range(len(WAITS) + 1):
            make_due()
            webhooks.drain()
    assert len(receiver.requests) == 20
    assert [one.state for one in deliveries()] == ["failed", "failed"]
    assert notices() == ["Ticket system did not take a message"]
    assert made.enabled, "it may be well again tomorrow"


def test_days_of_failure_turn_the_endpoint_off(endpoint, deliveries, monkeypatch):
    with receiving(answer(500)) as receiver:
        made = endpoint(receiver)
        happen()
        webhooks.drain()
        later = clock.now() + timedelta(days=5, minutes=1)
        monkeypatch.setattr(clock, "now", lambda: later)
        webhooks.drain()
    assert not made.enabled
    assert made.disabled_reason.startswith("Nothing has arrived for 5 days.")
    assert notices() == ["Ticket system was turned off"]
    webhooks.change_endpoint(made, enabled=True)
    assert (made.disabled_reason, made.failing_since) == (None, None)


def test_both_secrets_sign_during_a_rotation(endpoint, monkeypatch):
    with receiving() as receiver:
        made = endpoint(receiver)
        old = webhooks.reveal_secret(made)
        new = webhooks.rotate_secret(made)
        db.session.commit()
        happen()
        webhooks.drain()
        made.previous_until = clock.now()
        db.session.commit()
        happen("After it")
        webhooks.drain()
    during, after = receiver.requests
    assert old != new == unseal(made.secret)
    for secret in (old, new):
        assert Webhook(secret).verify(during.body, during.headers)
    assert Webhook(new).verify(after.body, after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(after.body, after.headers)


def test_secret_of_another_secret_key_is_said_so(app, endpoint, deliveries, monkeypatch):
    with receiving() as receiver:
        endpoint(receiver)
        monkeypatch.setitem(app.config, "SECRET_KEY", "another key of forty characters and more")
        happen()
        webhooks.drain()
    assert receiver.requests == []
    assert "SECRET_KEY" in deliveries()[0].last_error


def test_old_messages_are_forgotten_and_waiting_ones_kept(endpoint, deliveries, monkeypatch):
    with receiving(answer(200), answer(500)) as receiver:
        endpoint(receiver)
        happen()
        webhooks.drain()
        happen("Still on its way")
        webhooks.drain()
        later = clock.now() + timedelta(days=91)
        monkeypatch.setattr(clock, "now", lambda: later)
        assert webhooks.prune() == 1
    assert [one.state for one in deliveries()] == [DeliveryState.WAITING]


def test_writes_without_endpoints_cost_one_small_statement(context, statements):
    with statements() as seen:
        inventory.create_service(name="One")
        inventory.create_service(name="Two")
        inventory.create_service(name="Three")
        db.session.commit()
    assert sum("webhook" in one for one in seen) == 1


def test_events_cost_a_statement_each_however_many_endpoints(endpoint, statements):
    with receiving() as receiver:
        for name in "abcde":
            endpoint(receiver, name=name)
    with statements() as seen:
        for number in range(3):
            inventory.create_service(name=f"Service {number}")
        db.session.commit()
    assert sum("webhook" in one for one in seen) == 4, "the question and three messages"
    assert db.session.query(WebhookDelivery).count() == 15
