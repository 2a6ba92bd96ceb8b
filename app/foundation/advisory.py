"""Locks that mean what we say they mean: two that do the same take turns. PostgreSQL knows them by numbers, we by names.

A lock is its transaction's, so that it holds through PgBouncer, too.
"""

import hashlib

from sqlalchemy import func, select

from app.foundation.database import db


def key_of(name: str) -> int:
    """The number of a lock: a signed one of 64 bits, of which nobody has to keep a list."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


def take_turns(name: str) -> None:
    """Wait until no other transaction is at this; ours is, until it ends."""
    db.session.execute(select(func.pg_advisory_xact_lock(key_of(name))))
