"""Personal API tokens: made by somebody signed in, shown once, checked on every request of a script."""

import secrets
from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import update

from app.directory.callers import TokenInUse, digest
from app.directory.token_models import ApiToken
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.scoping import unscoped

PREFIX = "po_"
LONGEST_LIFE = timedelta(days=366)
USE_NOTED_EVERY = timedelta(minutes=1)
READING = frozenset({"GET", "HEAD", "OPTIONS"})


def create_token(
    account_id: int, *, name: str, scopes: list[str], expires_on: date, resources: set[str]
) -> tuple[ApiToken, str]:
    """A token and its secret, which is kept nowhere. InvalidInput for an unknown scope or a day out of reach.

    `resources` are those that a scope may name, as in `services:read`.
    """
    known = {"read", "write"} | {f"{one}:{verb}" for one in resources for verb in ("read", "write")}
    unknown = sorted(set(scopes) - known)
    if unknown:
        raise InvalidInput(scopes=f"There is no scope named {', '.join(unknown)[:200]}.")
    if not scopes:
        raise InvalidInput(scopes="Choose at least one scope.")
    if not clock.today() <= expires_on <= clock.today() + LONGEST_LIFE:
        raise InvalidInput(expires_on="Choose a day from today to a year from now.")
    secret = PREFIX + secrets.token_urlsafe(30)
    token = ApiToken(
        account_id=account_id,
        name=name.strip(),
        scopes=sorted(set(scopes)),
        token_hash=digest(secret),
        expires_on=expires_on,
    )
    db.session.add(token)
    db.session.flush()
    return token, secret


def revoke_token(token: ApiToken) -> None:
    """End a token at once. Twice is no mistake."""
    token.revoked_at = token.revoked_at or clock.now()
    db.session.flush()


def note_use(token: TokenInUse) -> bool:
    """Write down that a token is in use, at most once a minute; says whether there is something to commit."""
    now = clock.now()
    if token.last_used_at and token.last_used_at > now - USE_NOTED_EVERY:
        return False
    with unscoped():
        db.session.execute(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=now))
    return True


def allows(scopes: Collection[str], method: str, resource: str | None) -> bool:
    """Whether a token's scopes let a request through: a GET needs `read`, anything else `write`.

    `resource` is what the request is about; without one only a general scope will do.
    """
    verb = "read" if method in READING else "write"
    return verb in scopes or (resource is not None and f"{resource}:{verb}" in scopes)
