"""Reads of the log of deliveries."""

from sqlalchemy import func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from app.foundation.database import db
from app.foundation.references import parse_key
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookMessage


def deliveries_to(
    endpoint: WebhookEndpoint, *, state: str = "", type_: str = "", before: int | None = None, size: int
) -> list[WebhookDelivery]:
    """The latest deliveries to an endpoint, of one state or event type if they are named, with their messages."""
    query = (
        select(WebhookDelivery)
        .join(WebhookDelivery.message)
        .options(contains_eager(WebhookDelivery.message))
        .where(WebhookDelivery.endpoint_id == endpoint.id)
        .order_by(WebhookDelivery.id.desc())
        .limit(size)
    )
    if state:
        query = query.where(WebhookDelivery.state == state)
    if type_:
        query = query.where(WebhookMessage.type == type_)
    if before:
        query = query.where(WebhookDelivery.id < before)
    return list(db.session.scalars(query))


def open_counts(endpoint: WebhookEndpoint) -> dict[str, int]:
    """How many deliveries wait and how many have failed; those that arrived are many and interest nobody."""
    open_states = (DeliveryState.WAITING, DeliveryState.FAILED)
    found = {}
    for state in open_states:
        counted = select(func.count()).where(
            WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == state.value
        )
        found[state.value] = db.session.scalar(counted) or 0
    return found


def delivery_of(key: str) -> WebhookDelivery | None:
    """One delivery with its message, its endpoint and every attempt."""
    number = parse_key(key)
    if number is None:
        return None
    query = select(WebhookDelivery).where(WebhookDelivery.id == number)
    return db.session.scalar(
        query.options(
            joinedload(WebhookDelivery.message),
            joinedload(WebhookDelivery.endpoint),
            selectinload(WebhookDelivery.calls),
        )
    )
