"""Addresses under which calendar programs fetch somebody's renewals without a sign-in."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Account
from app.foundation import clock
from app.foundation.database import Model


class CalendarFeed(Model):
    """A secret address of an account: whoever knows it reads what its owner may see at that moment, and nothing else.

    It is good until it is revoked. `mine` keeps it to what its owner is in charge of. Rows stay, for the log.
    """

    __tablename__ = "calendar_feeds"
    __audit_secret__ = ("address_hash",)
    __audit_quiet__ = ("last_fetched_at",)
    __table_args__ = (
        UniqueConstraint(
            "address_hash",
            name="uq_calendar_feeds_address_hash",
            info={"field": "address_hash", "message": "There is an address like this already."},
        ),
        Index(
            "uq_calendar_feeds_open",
            "account_id",
            unique=True,
            postgresql_where="revoked_at IS NULL",
            info={"field": "account_id", "message": "There is an address already. Revoke it first."},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    mine: Mapped[bool]
    address_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    last_fetched_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    account: Mapped[Account] = relationship()

    def __repr__(self) -> str:
        return f"Calendar of {self.account}"
