"""A message that leaves the portal: what, to whom, why, and everything that was tried."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import Model, one_of
from app.notifications.models import Notification
from app.notifications.preference_models import Channel, ChatChannel


class MessageState(StrEnum):
    """Where a message stands. `failed`: it may have arrived; `dead`: it did not and is tried no more."""

    WAITING = "waiting"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    KEPT = "kept"
    FAILED = "failed"
    DEAD = "dead"
    IN_DIGEST = "in_digest"
    DROPPED = "dropped"


REPLAYABLE = (MessageState.FAILED, MessageState.DEAD, MessageState.KEPT)
FINAL = (MessageState.SENT, *REPLAYABLE, MessageState.IN_DIGEST, MessageState.DROPPED)
# Beside the kinds of notices.
DIGEST, TEST = "digest", "test"


class Message(Model):
    """One message by one channel to one person or one chat channel of the company.

    The row is written in the transaction that decided it, is the queue that the worker drains, and the log afterwards.
    `due_at` is when it leaves, or for a held one when its digest is made. `message_id` is the mail's Message-ID, the
    same at every attempt. `history` has an entry for each attempt: when, how long, what became of it, what was answered.
    """

    __tablename__ = "messages"
    __audit__ = False
    __table_args__ = (
        one_of("channel", Channel),
        one_of("state", MessageState),
        Index(
            "uq_messages_message_id",
            "message_id",
            unique=True,
            info={"field": "message_id", "message": "There is a message with this id already."},
        ),
        Index(
            "uq_messages_chat_channel_cause",
            "chat_channel_id",
            "cause",
            unique=True,
            postgresql_where="chat_channel_id IS NOT NULL",
            info={"field": "cause", "message": "This was posted there already."},
        ),
        Index("ix_messages_due", "due_at", "id", postgresql_where="state IN ('waiting', 'held')"),
        Index("ix_messages_sending", "claimed_at", postgresql_where="state = 'sending'"),
        Index("ix_messages_state", "state", "id"),
        Index("ix_messages_finished_at", "finished_at"),
        Index("ix_messages_person_id", "person_id"),
        Index("ix_messages_notification_id", "notification_id"),
        Index("ix_messages_digest_id", "digest_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    chat_channel_id: Mapped[int | None] = mapped_column(ForeignKey("chat_channels.id", ondelete="SET NULL"))
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id", ondelete="SET NULL"))
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("messages.id", ondelete="SET NULL"))
    channel: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    cause: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    claimed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str | None] = mapped_column(Text)
    history: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    request_id: Mapped[str | None] = mapped_column(Text)

    person: Mapped[Person | None] = relationship()
    chat_channel: Mapped[ChatChannel | None] = relationship()
    notification: Mapped[Notification | None] = relationship()

    def __repr__(self) -> str:
        return self.subject

    @property
    def is_replayable(self) -> bool:
        """Whether it can be sent again."""
        return self.state in REPLAYABLE

    @property
    def to(self) -> str:
        """Whom it is for, as people call them."""
        return str(self.person or self.chat_channel or self.address)
