"""A notice: one thing one person should know, with a link to it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import Model, one_of


class Kind(StrEnum):
    """What a notice is about: people choose per kind how they are told."""

    TASK = "task"
    PENDING_TASKS = "pending_tasks"
    ESCALATION = "escalation"
    PAYMENTS = "payments"
    ACCESS = "access"
    MACHINERY = "machinery"


class Notification(Model):
    """Read by nobody but the person it is for. One cause tells one person once.

    `items` are the lines of a notice about several things: `[{"text": ..., "href": path or null}]`.
    """

    __tablename__ = "notifications"
    __audit__ = False
    __table_args__ = (
        one_of("kind", Kind),
        Index(
            "uq_notifications_cause",
            "person_id",
            "cause",
            unique=True,
            info={"field": "cause", "message": "This person was told already."},
        ),
        Index("ix_notifications_person_id", "person_id", "id"),
        Index("ix_notifications_unread", "person_id", postgresql_where="read_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text, default=Kind.TASK)
    cause: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    href: Mapped[str | None] = mapped_column(Text)
    items: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, default=list)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    person: Mapped[Person] = relationship()

    def __repr__(self) -> str:
        return self.title
