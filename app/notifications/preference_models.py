"""How people want to be told: per kind and channel, and when. A row without a person is the company's default."""

from datetime import time
from enum import StrEnum

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Person
from app.foundation.database import Model, Timestamps, not_blank, one_of
from app.notifications.models import Kind


class Channel(StrEnum):
    """How a message leaves the portal. In the portal itself every notice is left."""

    EMAIL = "email"
    CHAT = "chat"


class Choice(StrEnum):
    """When a kind of notice leaves by a channel."""

    OFF = "off"
    AT_ONCE = "at_once"
    DIGEST = "digest"


class MessageChoice(Timestamps, Model):
    """Somebody's choice for one kind and channel. Without a row the company's holds, without that `DEFAULTS`."""

    __tablename__ = "message_choices"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("channel", Channel),
        one_of("choice", Choice),
        Index(
            "uq_message_choices",
            text("coalesce(person_id, 0)"),
            "kind",
            "channel",
            unique=True,
            info={"field": "choice", "message": "There is a choice for this kind and channel already."},
        ),
        Index("ix_message_choices_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    choice: Mapped[str] = mapped_column(Text)

    def __repr__(self) -> str:
        return f"{self.kind.replace('_', ' ')} by {self.channel}"


class MessageSettings(Timestamps, Model):
    """When somebody is told, and their own chat address (sealed; `chat_shown` is what may be shown of it).

    Times are local (`TIMEZONE`). Quiet hours may go over midnight; equal or no times mean none.
    """

    __tablename__ = "message_settings"
    __audit_secret__ = ("chat_address", "chat_shown")
    __table_args__ = (
        CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)",
            name="quiet_hours_whole",
            info={"field": "quiet_until", "message": "Quiet hours need both times, or neither."},
        ),
        CheckConstraint(
            "digest_hour BETWEEN 0 AND 23",
            name="digest_hour",
            info={"field": "digest_hour", "message": "Choose an hour from 0 to 23."},
        ),
        Index(
            "uq_message_settings",
            text("coalesce(person_id, 0)"),
            unique=True,
            info={"field": "person_id", "message": "There are settings for this person already."},
        ),
        Index("ix_message_settings_person_id", "person_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    digest_hour: Mapped[int | None]
    chat_address: Mapped[bytes | None] = mapped_column(LargeBinary)
    chat_shown: Mapped[str | None] = mapped_column(Text)

    person: Mapped[Person | None] = relationship()

    def __repr__(self) -> str:
        return f"How {self.person} is told" if self.person else "How people are told unless they choose"


class ChatChannel(Timestamps, Model):
    """A chat channel of the company, kept by Admins: notices of its kinds are posted there too, each once."""

    __tablename__ = "chat_channels"
    __audit_secret__ = ("address",)
    __table_args__ = (
        not_blank("name", "The name"),
        CheckConstraint(
            "cardinality(kinds) > 0",
            name="kinds_given",
            info={"field": "kinds", "message": "Choose at least one kind."},
        ),
        Index(
            "uq_chat_channels_name",
            func.lower(text("name")),
            unique=True,
            info={"field": "name", "message": "There is a channel of this name already."},
        ),
        {"info": {"people_say": "chat channels"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    address: Mapped[bytes] = mapped_column(LargeBinary)
    shown: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)

    def __repr__(self) -> str:
        return self.name
