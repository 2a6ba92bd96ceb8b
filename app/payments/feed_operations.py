"""Secret addresses of calendars: made by somebody signed in, shown once, good until they are revoked."""

import secrets
from datetime import timedelta

from sqlalchemy import Select, select, update

from app.directory.callers import digest
from app.directory.models import Account
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.payments.feed_models import CalendarFeed

FETCH_NOTED_EVERY = timedelta(minutes=1)


def feed_of(account_id: int) -> CalendarFeed | None:
    """The address that an account has, if any."""
    return db.session.scalar(_open_feeds().where(CalendarFeed.account_id == account_id))


def open_feed(account_id: int, *, mine: bool) -> tuple[CalendarFeed, str]:
    """A new address and its secret, which is kept nowhere; the one before it is good no more."""
    before = feed_of(account_id)
    if before is not None:
        revoke_feed(before)
    secret = secrets.token_urlsafe(30)
    feed = CalendarFeed(account_id=account_id, mine=mine, address_hash=digest(secret))
    db.session.add(feed)
    db.session.flush()
    return feed, secret


def revoke_feed(feed: CalendarFeed) -> None:
    """End an address at once. Twice is no mistake."""
    feed.revoked_at = feed.revoked_at or clock.now()
    db.session.flush()


def end_feeds(account_id: int | None) -> None:
    """Somebody was deactivated: their address does not come back to life with them."""
    with unscoped():
        feed = feed_of(account_id) if account_id else None
        if feed is not None:
            revoke_feed(feed)


def feed_at(secret: str) -> CalendarFeed | None:
    """What is fetched at a secret address: None if it is unknown, revoked, or its owner's account is closed."""
    with unscoped():
        query = _open_feeds().join(Account, Account.id == CalendarFeed.account_id)
        return db.session.scalar(query.where(CalendarFeed.address_hash == digest(secret), Account.active))


def note_fetch(feed: CalendarFeed) -> bool:
    """Write down that it is in use, at most once a minute; says whether there is something to commit."""
    now = clock.now()
    if feed.last_fetched_at and feed.last_fetched_at > now - FETCH_NOTED_EVERY:
        return False
    with unscoped():
        noted = update(CalendarFeed).where(CalendarFeed.id == feed.id).values(last_fetched_at=now)
        db.session.execute(noted)
    return True


def _open_feeds() -> Select[CalendarFeed]:
    return select(CalendarFeed).where(CalendarFeed.revoked_at.is_(None))
