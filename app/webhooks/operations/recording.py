"""What came of a call: arrived, tried again later, or a dead letter; and what that says about its endpoint."""

from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import update

from app.foundation import clock
from app.foundation.actor import acting_as
from app.foundation.backoff import wait_after
from app.foundation.database import db
from app.notifications import operations as notifications
from app.webhooks import catalogue
from app.webhooks.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.webhooks.operations.calling import Call, Outcome
from app.webhooks.operations.endpoints import turn_off

Row = TypeVar("Row", WebhookEndpoint, WebhookDelivery)

PATIENCE = timedelta(days=5)


def record(call: Call, outcome: Outcome) -> None:
    """Write an outcome down. What was deleted meanwhile stays deleted, and what is another call's by now is left to it.

    The endpoint is locked first, so that two workers never wait for each other's rows.
    """
    endpoint = _locked(WebhookEndpoint, call.endpoint_id)
    delivery = _locked(WebhookDelivery, call.delivery_id)
    if endpoint is None or delivery is None:
        return
    _note(call.attempt_id, outcome)
    if delivery.attempts != call.number or delivery.state == DeliveryState.DELIVERED:
        return
    delivery.last_status, delivery.last_error = outcome.status, outcome.problem
    if outcome.has_arrived:
        _settle(delivery, DeliveryState.DELIVERED)
        _heard_from(endpoint, delivery)
    elif delivery.state == DeliveryState.WAITING:
        _failed(endpoint, delivery, outcome)
    db.session.flush()


def _locked(model: type[Row], key: int) -> Row | None:
    """As it is now. The lock lets new deliveries point to an endpoint meanwhile, and no one delete it."""
    return db.session.get(model, key, populate_existing=True, with_for_update={"key_share": True})


def _note(attempt_id: int, outcome: Outcome) -> None:
    attempt = db.session.get_one(WebhookAttempt, attempt_id)
    attempt.milliseconds, attempt.status, attempt.address = (
        outcome.milliseconds,
        outcome.status,
        outcome.address,
    )
    attempt.response_headers = outcome.headers or None
    attempt.response_body, attempt.is_cut = outcome.body, outcome.is_cut
    attempt.error = outcome.error


def _settle(delivery: WebhookDelivery, state: DeliveryState) -> None:
    delivery.state, delivery.finished_at = state, clock.now()


def _is_test(delivery: WebhookDelivery) -> bool:
    """A test is made once, and says nothing about an endpoint but to whoever made it."""
    return delivery.type == catalogue.TEST.name


def _heard_from(endpoint: WebhookEndpoint, delivery: WebhookDelivery) -> None:
    if not _is_test(delivery):
        _keep(endpoint, last_success_at=clock.now(), failing_since=None)


def _failed(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome) -> None:
    if _is_test(delivery):
        _settle(delivery, DeliveryState.FAILED)
        return
    since = endpoint.failing_since or clock.now()
    if endpoint.failing_since is None:
        _keep(endpoint, failing_since=since)
    if outcome.is_gone:
        _settle(delivery, DeliveryState.FAILED)
        _give_up(endpoint, "It answered 410 Gone, which asks for no more messages.")
        return
    _again_or_never(endpoint, delivery, outcome)
    if clock.now() - since >= PATIENCE:
        _give_up(endpoint, f"Nothing has arrived for {PATIENCE.days} days. Last: {outcome.problem}")


def _again_or_never(endpoint: WebhookEndpoint, delivery: WebhookDelivery, outcome: Outcome) -> None:
    wait = wait_after(delivery.attempts)
    if wait is None:
        _settle(delivery, DeliveryState.FAILED)
        _tell_admins(
            endpoint,
            f"{endpoint.name} did not take a message",
            f"{delivery.type} was sent {delivery.attempts} times and did not arrive. Last: {outcome.problem} "
            "Replay it when the other system is well again.",
            f"webhook dead letter {endpoint.id} {clock.today()}",
        )
        return
    delivery.due_at = clock.now() + max(wait, outcome.patience())


def _give_up(endpoint: WebhookEndpoint, reason: str) -> None:
    """Turn an endpoint off in the portal's own name, and say so."""
    with acting_as("PortalOps"):
        turn_off(endpoint, reason)
    _tell_admins(
        endpoint,
        f"{endpoint.name} was turned off",
        f"{reason} It is told nothing until somebody turns it on again.",
        f"webhook turned off {endpoint.id} {clock.now().isoformat()}",
    )


def _keep(endpoint: WebhookEndpoint, **columns: datetime | None) -> None:
    """How it is doing is no change of it: `updated_at` and the audit log are about what people decided."""
    kept = update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint.id)
    db.session.execute(kept.values(updated_at=WebhookEndpoint.updated_at, **columns))
    db.session.refresh(endpoint, list(columns))


def _tell_admins(endpoint: WebhookEndpoint, title: str, body: str, cause: str) -> None:
    notifications.tell_admins(title, body, href=f"/webhooks/show/{endpoint.id}", cause=cause)
