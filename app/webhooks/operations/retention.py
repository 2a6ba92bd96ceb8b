"""Messages are a log of three months, not an archive."""

from datetime import timedelta

from sqlalchemy import delete, select

from app.foundation import clock
from app.foundation.database import db
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookMessage

KEPT = timedelta(days=90)


def prune() -> int:
    """Forget old messages that are on their way to nobody, with their deliveries and attempts; says how many."""
    on_their_way = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.message_id == WebhookMessage.id)
        .where(WebhookDelivery.state == DeliveryState.WAITING)
        .exists()
    )
    old = delete(WebhookMessage).where(WebhookMessage.created_at < clock.now() - KEPT, ~on_their_way)
    count: int = db.session.execute(old).rowcount  # type: ignore[attr-defined]
    return count
