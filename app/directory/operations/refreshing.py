"""Refresh tokens replace each other, so that two who hold the same sign-in are noticed.

A token counts from the moment it is presented, not when it is given out: a client that keeps its first one for ever
supersedes nothing, and a lost answer locks nobody out. Each names as its parent the one that counted when it was made.
"""

from datetime import timedelta

from sqlalchemy import select

from app.audit import recorder
from app.directory.models import SignInSession
from app.directory.operations.accounts import end_session
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Unauthorized
from app.foundation.scoping import unscoped

# Two tabs, or a request that crossed another's answer: the one before still opens, without counting again.
GRACE = timedelta(seconds=60)
ENDED = "This sign-in has ended. Sign in again."


def refresh_session(key: str, token: str, parent: str | None) -> str | None:
    """The id of the refresh token that counts from now on. Unauthorized if the sign-in has ended.

    None for a token that was superseded: somebody has an old copy, and as nobody can say who of the two is the owner,
    the sign-in has ended for both. The door commits that before it refuses.
    """
    with unscoped():
        query = select(SignInSession).where(SignInSession.id == key, SignInSession.ended_at.is_(None))
        opened: SignInSession | None = db.session.scalar(query.with_for_update())
    if opened is None:
        raise Unauthorized(ENDED)
    if parent == opened.refresh_id:
        opened.previous_refresh_id, opened.refresh_id = opened.refresh_id, token
        opened.refreshed_at = clock.now()
    elif token != opened.refresh_id and not _just_superseded(opened, token, parent):
        recorder.record("auth.refresh_reused", target_type="account", target_id=str(opened.account_id))
        end_session(key)
        return None
    db.session.flush()
    return opened.refresh_id


def _just_superseded(opened: SignInSession, token: str, parent: str | None) -> bool:
    previous, since = opened.previous_refresh_id, opened.refreshed_at
    recently = since is not None and clock.now() <= since + GRACE
    return previous is not None and recently and previous in {token, parent}
