"""Bringing the tables up to date while the portal is in use."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flask_migrate import upgrade
from psycopg2.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.foundation import advisory
from app.foundation.database import db

# While a migration waits for a table, whoever comes after it waits behind it: the portal stands still for this long.
LOCK_SECONDS = 5.0
ATTEMPTS = 5
# For what others had to wait with meanwhile.
PAUSE_SECONDS = 3.0
# Keys of advisory locks: two processes don't migrate at once, nor set up the database at once.
ONE_MIGRATION = advisory.key_of("migration")
ONE_SETUP = advisory.key_of("set-up")


class Blocked(Exception):
    """Another transaction holds a table all the time; nothing was changed. The message is for people."""


@contextmanager
def alone() -> Iterator[None]:
    """Wait for whoever sets up this database already. The lock is a transaction's, so that it holds through PgBouncer."""
    with db.engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ONE_SETUP})
        yield


def migrate(say: Callable[[str], None]) -> None:
    """Run the migrations that are due, all or none. Raises Blocked."""
    for attempt in range(1, ATTEMPTS + 1):
        if _migrated():
            return
        if attempt < ATTEMPTS:
            say(
                f"A table is in use; waited {LOCK_SECONDS:g} s for it and let the others go first. "
                f"Trying again in {PAUSE_SECONDS:g} s ({attempt + 1} of {ATTEMPTS})."
            )
            time.sleep(PAUSE_SECONDS)
    raise Blocked(
        "The database was not brought up to date, and nothing was changed: a long transaction holds a table. "
        "pg_stat_activity shows whose (column xact_start). Run this again when it has ended."
    )


def _migrated() -> bool:
    """Whether nobody was in the way."""
    try:
        upgrade()
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            return False
        raise
    return True
