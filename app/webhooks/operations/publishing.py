"""A fact becomes a message, and a delivery for each endpoint that wants it, in the transaction of the fact.

Without endpoints it costs one small statement a transaction. With some it is one statement an event: whoever subscribes
at that moment is told, and a savepoint that is undone takes its messages along.
"""

import json
import secrets
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Integer, Text, insert, literal, or_, select, true
from sqlalchemy.orm import SessionTransaction

from app.foundation import clock, outbox
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.foundation.trace import known_request_id
from app.webhooks import catalogue
from app.webhooks.catalogue import EventType
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookMessage


def hand_out(fact: Any) -> None:
    """Tell whoever wants to hear of it."""
    for type_ in catalogue.types_of(fact):
        if _is_wanted(type_.name):
            with unscoped():
                body = type_.payload(fact, clock.now())
            _keep(type_, body)
            wake()


def _is_wanted(name: str) -> bool:
    """Whether any endpoint asks for this; asked once a transaction."""
    wanted = _once("webhooks_wanted", db.session().get_transaction(), _wanted_types)
    return wanted is None or name in wanted


def _wanted_types() -> frozenset[str] | None:
    """The event types that somebody asked for; None for all of them."""
    asked = select(WebhookEndpoint.every_event, WebhookEndpoint.event_types).where(WebhookEndpoint.enabled)
    with unscoped():
        rows = db.session.execute(asked).all()
    if any(row.every_event for row in rows):
        return None
    return frozenset(name for row in rows for name in row.event_types)


def _keep(type_: EventType, body: dict[str, Any]) -> None:
    now = clock.now()
    message = (
        insert(WebhookMessage)
        .values(
            uid=new_uid(),
            type=type_.name,
            body=as_sent(body),
            created_at=now,
            request_id=known_request_id(),
        )
        .returning(WebhookMessage.id)
        .cte("message")
    )
    subscribers = (
        select(
            message.c.id, WebhookEndpoint.id, literal(DeliveryState.WAITING.value, Text), literal(0, Integer)
        )
        .add_columns(literal(now), literal(now))
        .select_from(message)
        .join(WebhookEndpoint, true())
        .where(
            WebhookEndpoint.enabled,
            or_(
                WebhookEndpoint.every_event,
                WebhookEndpoint.event_types.has_key(type_.name),
            ),
        )
    )
    columns = ["message_id", "endpoint_id", "state", "attempts", "due_at", "created_at"]
    db.session.execute(insert(WebhookDelivery).from_select(columns, subscribers, include_defaults=False))


def new_uid() -> str:
    """A name that no other message has, anywhere."""
    return f"msg_{secrets.token_hex(16)}"


def as_sent(body: dict[str, Any]) -> str:
    """The bytes that are signed and sent, as text."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def wake() -> None:
    """Have the worker look for what is due, after the commit; once a transaction, or a savepoint, is enough."""
    session = db.session()
    innermost = session.get_nested_transaction() or session.get_transaction()
    _once(
        "webhooks_awake",
        innermost,
        lambda: outbox.enqueue("app.webhooks.jobs.deliver_due", queue=outbox.MESSAGES),
    )


def _once(name: str, transaction: SessionTransaction | None, make: Callable[[], Any]) -> Any:
    """What was made for this transaction, with which it is forgotten."""
    kept: WeakKeyDictionary[SessionTransaction, Any] = db.session().info.setdefault(name, WeakKeyDictionary())
    if transaction is None:
        return make()
    if transaction not in kept:
        kept[transaction] = make()
    return kept[transaction]
