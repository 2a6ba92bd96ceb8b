"""One table. PostgreSQL itself numbers, times and chains its rows and refuses to change or delete them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation import clock
from app.foundation.database import Model


class AuditEntry(Model):
    """What happened. `id` and `sequence` are the same number: an entry's place in the chain.

    `id`, `created_at`, `previous_hash` and `hash` are set by a trigger whatever the insert says; see the migration.
    `before` and `after` hold only the fields that changed. `actor_*` is a snapshot: people are renamed, history not.
    """

    __tablename__ = "audit_logs"
    __audit__ = False
    __table_args__ = (
        Index("ix_audit_logs_target", "target_type", "target_id", "id"),
        Index("ix_audit_logs_actor_id", "actor_id", "id"),
        Index("ix_audit_logs_action", "action", "id"),
        Index("ix_audit_logs_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    action: Mapped[str] = mapped_column(Text)
    target_type: Mapped[str] = mapped_column(Text)
    target_id: Mapped[str | None] = mapped_column(Text)
    target_label: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(Text)
    actor_email: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    def __repr__(self) -> str:
        return f"{self.action} {self.target_label or self.target_id or ''}".strip()


class AuditCheck(Model):
    """One verification of the whole log: what was found, and when. Without a `fault` every link held."""

    __tablename__ = "audit_checks"
    __audit__ = False

    id: Mapped[int] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    entries: Mapped[int] = mapped_column(BigInteger)
    fault: Mapped[str | None] = mapped_column(Text)

    def __repr__(self) -> str:
        return self.fault or f"{self.entries} entries, every link holds"
