"""Personal API tokens: how a script signs in without a password."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.directory.models import Account
from app.foundation import clock
from app.foundation.database import Model, not_blank


class ApiToken(Model):
    """A token of an account, with less than its rights: `scopes` are `read`, `write`, or those of a resource.

    It is good through `expires_on`, until it is revoked, and while the account is open. Rows stay: the audit log
    and a leaked secret lead to them.
    """

    __tablename__ = "api_tokens"
    __audit_secret__ = ("token_hash",)
    __audit_quiet__ = ("last_used_at",)
    __table_args__ = (
        not_blank("name", "The name"),
        CheckConstraint(
            "cardinality(scopes) > 0",
            name="scopes_given",
            info={"field": "scopes", "message": "Choose at least one scope."},
        ),
        CheckConstraint(
            "expires_on <= CAST(created_at AT TIME ZONE 'UTC' AS date) + 367",
            name="expires_within_a_year",
            info={"field": "expires_on", "message": "Choose a day within a year."},
        ),
        UniqueConstraint(
            "token_hash",
            name="uq_api_tokens_token_hash",
            info={"field": "token_hash", "message": "There is a token like this already."},
        ),
        Index("ix_api_tokens_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    expires_on: Mapped[date]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    last_used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    account: Mapped[Account] = relationship()

    def __repr__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """Whether it opens anything, in a word."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_on < clock.today() else "active"
