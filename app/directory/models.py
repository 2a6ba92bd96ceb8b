"""A person is not an account: a person is whom the company knows, an account is how somebody signs in."""

from datetime import date, datetime
from typing import TypeAlias

from flask_appbuilder.security.sqla.models import (
    Group,
    Permission,
    PermissionView,
    RegisterUser,
    Role,
    User,
    ViewMenu,
)
from sqlalchemy import ARRAY, DateTime, ForeignKey, Index, LargeBinary, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.foundation import clock
from app.foundation.database import Model, Timestamps, not_blank

Account: TypeAlias = User
Account.__audit_noun__ = "account"
Account.__audit_secret__ = ("password",)
Account.__audit_quiet__ = (
    "login_count",
    "last_login",
    "fail_login_count",
    "created_by",
    "changed_by",
    "created_by_fk",
    "changed_by_fk",
)
for machinery in (Permission, PermissionView, ViewMenu, RegisterUser):
    machinery.__audit__ = False
for link in (Role, Group):
    link.__audit_noun__ = link.__name__.lower()


class Department(Timestamps, Model):
    """A part of the company, as access templates and HR know it."""

    __tablename__ = "departments"
    __table_args__ = (
        not_blank("name", "The name"),
        Index(
            "uq_departments_name",
            func.lower(text("name")),
            unique=True,
            info={"field": "name", "message": "There is a department of this name already."},
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)

    people: Mapped[list["Person"]] = relationship(back_populates="department", viewonly=True)

    def __repr__(self) -> str:
        return self.name


class Person(Timestamps, Model):
    """Somebody the company knows. The row stays when they leave: `active` goes, the history does not.

    `department_given` is what HR called a department that the directory does not know.
    `last_day` is the last day of work, in the company's time zone; on it the sign-in is closed.
    """

    __tablename__ = "users"
    __audit_noun__ = "user"
    __table_args__ = (
        not_blank("name", "The name"),
        Index(
            "uq_users_email",
            func.lower(text("email")),
            unique=True,
            info={"field": "email", "message": "User with this email already exists"},
        ),
        Index(
            "uq_users_external_id",
            "external_id",
            unique=True,
            info={"field": "external_id", "message": "Another person has this external id."},
        ),
        UniqueConstraint(
            "account_id",
            name="uq_users_account_id",
            info={"field": "account_id", "message": "Another person has this account."},
        ),
        Index("ix_users_department_id", "department_id"),
        Index("ix_users_name", "name", "id"),
        Index(
            "ix_users_lower_name",
            func.lower(text("name")),
            "id",
            postgresql_include=["name", "department_id"],
        ),
        Index(
            "ix_users_trigrams",
            text("trigrams(ARRAY[name, email, department_given], 1)"),
            postgresql_using="gin",
            postgresql_with={"fastupdate": "off"},
        ),
        {"info": {"people_say": "people"}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(Text)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    department_given: Mapped[str | None] = mapped_column(Text)
    position: Mapped[str | None] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)
    starts_on: Mapped[date | None]
    last_day: Mapped[date | None]
    account_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="SET NULL"))

    department: Mapped[Department | None] = relationship(back_populates="people")
    account: Mapped[Account | None] = relationship()

    def __repr__(self) -> str:
        return self.name

    @property
    def can_sign_in(self) -> bool:
        """Whether an open account with a password exists."""
        return bool(self.account and self.account.active and self.account.password)

    @property
    def department_name(self) -> str | None:
        """The department, or what HR called it."""
        return self.department.name if self.department else self.department_given


class SignInSession(Model):
    """One sign-in, on a page or by tokens. Every cookie and token names its session: ending it ends them all.

    `refresh_id` is the id (`jti`) of the refresh token that counts, none before the first was used, and
    `previous_refresh_id` the one that counted until `refreshed_at`; see `operations/refreshing.py`.
    """

    __tablename__ = "sign_in_sessions"
    __audit__ = False
    __table_args__ = (Index("ix_sign_in_sessions_account_id", "account_id"),)

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    address: Mapped[str | None] = mapped_column(Text)
    client: Mapped[str | None] = mapped_column(Text)
    refresh_id: Mapped[str | None] = mapped_column(Text)
    previous_refresh_id: Mapped[str | None] = mapped_column(Text)
    refreshed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class Invitation(Model):
    """A link that lets somebody set their password, once. Only the token's SHA-256 is kept."""

    __tablename__ = "invitations"
    __audit_secret__ = ("token_hash",)
    __table_args__ = (
        UniqueConstraint(
            "token_hash",
            name="uq_invitations_token_hash",
            info={"field": "token_hash", "message": "There is an invitation with this token already."},
        ),
        Index("ix_invitations_account_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=clock.now)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    account: Mapped[Account] = relationship()

    def __repr__(self) -> str:
        return "Invitation to sign in"


class SignInLimit(Model):
    """Recent attempts to sign in of one subject, an account as it was typed or an address. A success takes its own away.

    The subject is a SHA-256: what is typed into a form of e-mail and password is sometimes the password.
    """

    __tablename__ = "sign_in_limits"
    __audit__ = False
    __table_args__ = (Index("ix_sign_in_limits_touched_at", "touched_at"),)

    subject: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    attempts: Mapped[list[datetime]] = mapped_column(ARRAY(DateTime(timezone=True)))
    locks: Mapped[int]
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    refused: Mapped[int]
    touched_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
