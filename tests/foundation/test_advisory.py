"""Locks by name: who does the same waits, and nobody else does."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.foundation import advisory
from app.foundation.backups import postgres
from app.foundation.database import db

TAKE = text("SELECT pg_advisory_xact_lock(:key)")


@pytest.fixture
def held(context):
    """`held(name)`: another transaction is at this."""
    with db.engine.connect() as other, other.begin():
        yield lambda name: other.execute(TAKE, {"key": advisory.key_of(name)})


def test_same_name_is_waited_for(held):
    held("reminders of tasks")
    db.session.execute(text("SET LOCAL lock_timeout = '50ms'"))
    with pytest.raises(OperationalError, match="lock timeout"):
        advisory.take_turns("reminders of tasks")


def test_other_names_are_not(held, settings):
    held("reminders of payments")
    db.session.execute(text("SET LOCAL lock_timeout = '50ms'"))
    for name in ("reminders of tasks", "demo company", "backup", "migration", "set-up"):
        advisory.take_turns(name)
    db.session.rollback()
    with postgres.snapshot(settings.database_url) as (connection, name):
        assert (connection.closed, bool(name)) == (0, True)


def test_number_is_the_same_in_every_process_of_every_version():
    assert advisory.key_of("backup") == 6111399565520850680
