"""Once more, because somebody says so: a delivery, all that failed, or a test. Each stands in the audit log."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from app.audit import recorder
from app.foundation import clock
from app.foundation.actor import current_actor
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.webhooks import catalogue
from app.webhooks.access import must_be_admin
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookMessage
from app.webhooks.operations.calling import Call
from app.webhooks.operations.delivering import begin
from app.webhooks.operations.publishing import as_sent, new_uid, wake


def replay(delivery: WebhookDelivery) -> None:
    """Send it again under its `webhook-id`, with all its attempts anew. Conflict while it is on its way already."""
    must_be_admin()
    _must_be_on(delivery.endpoint)
    if delivery.state == DeliveryState.WAITING:
        raise Conflict("This is on its way already.")
    delivery.state, delivery.attempts = DeliveryState.WAITING, 0
    delivery.due_at, delivery.finished_at = clock.now(), None
    db.session.flush()
    wake()
    _note(delivery.endpoint, "replay", {"message": delivery.message.uid, "type": delivery.type})


def replay_failed(endpoint: WebhookEndpoint, since: datetime | None) -> int:
    """Send again what has failed since then, or ever, and say how much that is. Tests are not sent again."""
    must_be_admin()
    _must_be_on(endpoint)
    tests = WebhookMessage.type == catalogue.TEST.name
    failed = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id,
        WebhookDelivery.state == DeliveryState.FAILED,
        ~WebhookDelivery.message.has(tests),
    )
    if since is not None:
        failed = failed.where(WebhookDelivery.created_at >= since)
    anew = {"state": DeliveryState.WAITING, "attempts": 0, "due_at": clock.now(), "finished_at": None}
    count: int = db.session.execute(failed.values(anew)).rowcount  # type: ignore[attr-defined]
    if count:
        wake()
        _note(endpoint, "replay", {"deliveries": count, "since": since.isoformat() if since else None})
    return count


def start_test(endpoint: WebhookEndpoint) -> Call:
    """A test message for one endpoint, whether it is on or off; whoever asked makes the call and records it."""
    must_be_admin()
    greeting = {
        "message": f"This is a test from PortalOps, sent by {current_actor().name}.",
        "endpoint": {"id": str(endpoint.id), "name": endpoint.name},
    }
    body = catalogue.TEST.around(greeting, clock.now())
    message = WebhookMessage(uid=new_uid(), type=catalogue.TEST.name, body=as_sent(body))
    delivery = WebhookDelivery(message=message, endpoint=endpoint, attempts=0)
    db.session.add(delivery)
    db.session.flush()
    _note(endpoint, "test", {"message": message.uid})
    return begin(delivery)


def _must_be_on(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise Conflict(f"{endpoint.name} is turned off. Turn it on first.")


def _note(endpoint: WebhookEndpoint, verb: str, after: dict[str, Any]) -> None:
    recorder.record(
        f"webhook_endpoint.{verb}",
        target_type="webhook_endpoint",
        target_id=str(endpoint.id),
        target_label=endpoint.name,
        after=after,
    )
