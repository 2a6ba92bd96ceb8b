"""Who calls, asked anew at every request in one statement: a closed account or a taken role holds from the next one.

Of all statements this is the one that every request pays for, so it is a function in the database, which keeps its plan
(migration 0024); what is open, and which roles are held, stands there.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_login import UserMixin

from app.foundation import clock
from app.foundation.database import db
from app.foundation.viewer import Viewer


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
    return _found("SELECT * FROM caller_by_session(%s, %s)", account_id, session_id)


def by_token(secret: str) -> SignedIn | None:
    """The open account that a personal token opens today, with the token.

    A fast hash is right here: the secret is 240 random bits, which nobody guesses however fast they hash. Slow hashes
    protect what people think up.
    """
    return _found("SELECT * FROM caller_by_token(%s, %s)", digest(secret), clock.today())


def by_account(account_id: int) -> SignedIn | None:
    """The account, open or not, with the roles that it has now."""
    return _found("SELECT * FROM caller_by_account(%s)", account_id)


def digest(secret: str) -> bytes:
    """What is kept of a personal token."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def _found(question: str, *values: Any) -> SignedIn | None:
    row = db.session.connection().exec_driver_sql(question, values).one_or_none()
    if row is None:
        return None
    account_id, first_name, last_name, email, person_id, role_names, *of_token = row
    name = f"{first_name} {last_name}".removesuffix(" -")
    viewer = Viewer(person_id, account_id, name, email, frozenset(role_names))
    return SignedIn(account_id, viewer, _token(*of_token) if of_token else None)


def _token(key: int, scopes: list[str], last_used_at: datetime | None) -> TokenInUse:
    return TokenInUse(key, tuple(scopes), last_used_at)
