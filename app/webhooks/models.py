"""Who is told, what they are told, and how the telling went.

A message is one event as it is sent, kept word for word. A delivery is its way to one endpoint, and the queue itself:
what waits is due at `due_at`. An attempt is one call.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation import clock
from app.foundation.database import Model, Timestamps, not_blank, one_of
from app.foundation.reachable import LONGEST_URL


class DeliveryState(StrEnum):
    """Whether a message has arrived at an endpoint; what has failed is a dead letter until somebody replays it."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookEndpoint(Timestamps, Model):
    """Another system's address, and what it wants to hear of.

    `secret` and `previous_secret` are sealed (`foundation/sealing.py`); the previous one signs too until
    `previous_until`. `shown_at` is when somebody was shown the secret: once. `failing_since` is the first failure
    after the last success. An endpoint that is off says why, if it was not somebody who turned it off.
    """

    __tablename__ = "webhook_endpoints"
    __generated__ = ("disabled_reason",)
    __audit_secret__ = ("secret", "previous_secret")
    __audit_quiet__ = ("last_success_at", "failing_since")
    __table_args__ = (
        not_blank("name", "The name"),
        Index(
            "uq_webhook_endpoints_name",
            func.lower(text("name")),
            unique=True,
            info={"field": "name", "message": "There is an endpoint of this name already."},
        ),
        CheckConstraint(
            f"char_length(url) <= {LONGEST_URL}",
            name="url_length",
            info={"field": "url", "message": f"At most {LONGEST_URL:,} characters."},
        ),
        CheckConstraint(
            "every_event OR event_types <> '[]'",
            name="hears_something",
            info={"field": "event_types", "message": "Choose at least one event type, or every event."},
        ),
        {"info": {"people_say": "webhook endpoints"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    every_event: Mapped[bool] = mapped_column(default=False)
    event_types: Mapped[list[str]] = mapped_column(JSONB, default=list)
    enabled: Mapped[bool] = mapped_column(default=True)
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    shown_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_success_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    failing_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def state(self) -> str:
        """`active`, `failing` since its last success, or `disabled`."""
        if not self.enabled:
            return "disabled"
        return "failing" if self.failing_since else "active"

    @property
    def hears(self) -> list[str]:
        """The event types it wants, in words."""
        return ["Every event"] if self.every_event else sorted(self.event_types)

    def __repr__(self) -> str:
        return self.name


class WebhookMessage(Model):
    """One event as it is sent to everybody who wants it. `uid` is the `webhook-id` of each delivery, replays included."""

    __tablename__ = "webhook_messages"
    __audit__ = False
    __table_args__ = (
        UniqueConstraint(
            "uid",
            name="uq_webhook_messages_uid",
            info={"field": "uid", "message": "There is a message with this id already."},
        ),
        Index("ix_webhook_messages_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    request_id: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return f"{self.type} {self.uid}"


class WebhookDelivery(Model):
    """A message's way to an endpoint.

    `attempts` counts calls since it was made or replayed. A call moves `due_at` on by a lease before it begins: if its
    worker dies, the delivery is due again, with the same `webhook-id`, by which receivers drop what they have.
    """

    __tablename__ = "webhook_deliveries"
    __audit__ = False
    __table_args__ = (
        one_of("state", DeliveryState),
        UniqueConstraint(
            "message_id",
            "endpoint_id",
            name="uq_webhook_deliveries_message_id_endpoint_id",
            info={"field": "endpoint_id", "message": "This endpoint is told already."},
        ),
        Index("ix_webhook_deliveries_endpoint_id", "endpoint_id", "id"),
        Index("ix_webhook_deliveries_failed", "endpoint_id", "id", postgresql_where="state = 'failed'"),
        Index("ix_webhook_deliveries_due", "endpoint_id", "due_at", postgresql_where="state = 'waiting'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("webhook_messages.id", ondelete="CASCADE"))
    endpoint_id: Mapped[int] = mapped_column(ForeignKey("webhook_endpoints.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(Text, default=DeliveryState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_status: Mapped[int | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    message: Mapped[WebhookMessage] = relationship()
    endpoint: Mapped[WebhookEndpoint] = relationship()
    calls: Mapped[list["WebhookAttempt"]] = relationship(order_by="WebhookAttempt.id.desc()", viewonly=True)

    @property
    def type(self) -> str:
        """The event's."""
        return self.message.type

    def __repr__(self) -> str:
        return f"{self.message.type} to {self.endpoint}"


class WebhookAttempt(Model):
    """One call and its answer. Without `milliseconds` it is under way, or its worker died meanwhile."""

    __tablename__ = "webhook_attempts"
    __audit__ = False
    __table_args__ = (Index("ix_webhook_attempts_delivery_id", "delivery_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"))
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    url: Mapped[str] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    request_headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    milliseconds: Mapped[int | None]
    status: Mapped[int | None]
    response_headers: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    response_body: Mapped[str | None] = mapped_column(Text)
    is_cut: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return f"Attempt {self.id}"
