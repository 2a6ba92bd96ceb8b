"""A notice: one thing one person should know, with a link to it."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import Model


class Notification(Model):
    """Read by nobody but the person it is for."""

    __tablename__ = "notifications"
    __audit__ = False
    __table_args__ = (
        Index("ix_notifications_person_id", "person_id", "id"),
        Index("ix_notifications_unread", "person_id", postgresql_where="read_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(Text)
    body: Mapped[str | None] = mapped_column(Text)
    href: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    person: Mapped[Person] = relationship()

    def __repr__(self) -> str:
        return self.title
