"""Who calls, asked anew at every request in one statement: a closed account or a taken role holds from the next one.

Core and not the mapper: of all statements this is the one that every request pays for.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_appbuilder.security.sqla.models import (
    assoc_group_role,
    assoc_user_group,
    assoc_user_role,
)
from flask_login import UserMixin
from sqlalchemy import ARRAY, Select, Text, bindparam, func, or_, select

from app.directory.models import Account, Person, Role, SignInSession
from app.directory.token_models import ApiToken
from app.foundation import clock
from app.foundation.database import db
from app.foundation.viewer import Viewer

accounts, people, roles = Account.__table__, Person.__table__, Role.__table__
sessions, tokens = SignInSession.__table__, ApiToken.__table__


@dataclass(frozen=True, slots=True)
class TokenInUse:
    """The personal token that a request came with."""

    id: int
    scopes: tuple[str, ...]
    last_used_at: datetime | None


@dataclass(frozen=True)
class SignedIn(UserMixin):  # type: ignore[misc]
    """The account behind a request, as Flask-Login and FAB ask for it."""

    id: int
    viewer: Viewer
    token: TokenInUse | None = None

    def get_full_name(self) -> str:
        """FAB's name for it."""
        return self.viewer.name


def by_session(account_id: int, session_id: str | None) -> SignedIn | None:
    """The open account whose sign-in session has not ended."""
    return _found(_BY_SESSION, {"account_id": account_id, "session_id": session_id})


def by_token(secret: str) -> SignedIn | None:
    """The open account that a personal token opens today, with the token.

    A fast hash is right here: the secret is 240 random bits, which nobody guesses however fast they hash. Slow hashes
    protect what people think up.
    """
    return _found(_BY_TOKEN, {"token_hash": digest(secret), "today": clock.today()})


def by_account(account_id: int) -> SignedIn | None:
    """The account, open or not, with the roles that it has now."""
    return _found(_BY_ACCOUNT, {"account_id": account_id})


def digest(secret: str) -> bytes:
    """What is kept of a personal token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _found(query: Select[Any], values: dict[str, Any]) -> SignedIn | None:
    row = db.session.connection().execute(query, values).one_or_none()
    if row is None:
        return None
    name = f"{row.first_name} {row.last_name}".removesuffix(" -")
    viewer = Viewer(row.person_id, row.id, name, row.email, frozenset(row.role_names))
    token = (
        TokenInUse(row.token_id, tuple(row.scopes), row.last_used_at) if "token_id" in row._fields else None
    )
    return SignedIn(row.id, viewer, token)


def _identity(*more: Any) -> Select[Any]:
    own = (
        select(assoc_user_role.c.role_id)
        .where(assoc_user_role.c.user_id == accounts.c.id)
        .correlate(accounts)
    )
    of_groups = (
        select(assoc_group_role.c.role_id)
        .join(assoc_user_group, assoc_user_group.c.group_id == assoc_group_role.c.group_id)
        .where(assoc_user_group.c.user_id == accounts.c.id)
        .correlate(accounts)
    )
    held = select(roles.c.name).where(or_(roles.c.id.in_(own), roles.c.id.in_(of_groups)))
    return select(
        accounts.c.id,
        accounts.c.first_name,
        accounts.c.last_name,
        accounts.c.email,
        people.c.id.label("person_id"),
        func.array(held.correlate(accounts).scalar_subquery(), type_=ARRAY(Text)).label("role_names"),
        *more,
    ).outerjoin_from(accounts, people, people.c.account_id == accounts.c.id)


_BY_ACCOUNT = _identity().where(accounts.c.id == bindparam("account_id"))
_BY_SESSION = (
    _BY_ACCOUNT.join(sessions, sessions.c.account_id == accounts.c.id)
    .where(accounts.c.active)
    .where(sessions.c.id == bindparam("session_id"), sessions.c.ended_at.is_(None))
)
_BY_TOKEN = (
    _identity(tokens.c.id.label("token_id"), tokens.c.scopes, tokens.c.last_used_at)
    .join(tokens, tokens.c.account_id == accounts.c.id)
    .where(accounts.c.active)
    .where(tokens.c.token_hash == bindparam("token_hash"), tokens.c.revoked_at.is_(None))
    .where(tokens.c.expires_on >= bindparam("today"))
)
