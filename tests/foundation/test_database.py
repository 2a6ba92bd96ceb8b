"""What connections are like: none that PostgreSQL has closed meanwhile, and no transaction before one is needed."""

import select
from datetime import UTC, datetime

import pytest
from psycopg2 import extensions
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS
from sqlalchemy import select as select_from
from sqlalchemy import text

from app.directory.models import Department, Person
from app.foundation.database import db, moment_of


def test_closed_connections_are_not_handed_out(context, statements):
    """As after a restart of PostgreSQL: every idle connection of the pool is gone at once."""
    pool = db.engine.pool
    connections = [db.engine.connect() for _ in range(3)]
    keys = [connection.scalar(text("SELECT pg_backend_pid()")) for connection in connections]
    sockets = [connection.connection.dbapi_connection.fileno() for connection in connections]
    for connection in connections[1:]:
        connection.close()
    connections[0].execute(
        text("SELECT pg_terminate_backend(key) FROM unnest(:keys) AS key"), {"keys": keys[1:]}
    )
    assert all(select.select([socket], [], [], 5)[0] for socket in sockets[1:])
    connections[0].rollback()
    connections[0].close()
    with statements() as seen:
        assert [db.session.scalar(text("SELECT 1")) for _ in range(3)] == [1, 1, 1]
    assert len(seen) == 3
    db.session.remove()
    assert pool.checkedout() == 0


def test_checkout_costs_no_statement(app, root, statements):
    with statements() as seen:
        assert root.api("GET", "services/").status_code == 200
    assert [one for one in seen if one.strip() == "SELECT 1"] == []


def in_transaction() -> bool:
    status = db.session.connection().connection.dbapi_connection.info.transaction_status
    assert status in {TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS}
    return status == TRANSACTION_STATUS_INTRANS


def test_reading_begins_no_transaction(context):
    db.session.scalars(select_from(Person)).all()
    db.session.execute(text("SELECT count(*) FROM users"))
    assert not in_transaction()
    db.session.rollback()
    assert not in_transaction()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO departments (name, created_at, updated_at) VALUES ('Kept', now(), now())",
        "WITH made AS (DELETE FROM departments WHERE false RETURNING id) SELECT count(*) FROM made",
        "SELECT id FROM departments FOR UPDATE",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT set_config('lock_timeout', '1s', true)",
        "SAVEPOINT one",
        "  select id from departments",
    ],
)
def test_whatever_may_write_or_lock_begins_one(context, statement):
    db.session.scalars(select_from(Person)).all()
    db.session.execute(text(statement))
    assert in_transaction()


def test_writing_after_reading_is_undone_whole(context):
    db.session.scalars(select_from(Department)).all()
    for name in ("First", "Second"):
        db.session.add(Department(name=name))
        db.session.flush()
    db.session.rollback()
    assert not {"First", "Second"} & set(db.session.scalars(select_from(Department.name)))


def test_a_cursor_of_the_server_has_its_transaction(context):
    people = select_from(Person.id).execution_options(yield_per=1)
    found = [row.id for row in db.session.execute(people)]
    assert len(found) == len(set(found)) > 1


def test_who_asks_for_autocommit_keeps_it(context):
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM departments"))


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25 10:44:11.507877+00",
        "2026-11-25 10:44:11.5+00",
        "2026-11-25 10:44:11+00",
        "2026-11-25 10:44:11+05:30",
        "0001-01-01 00:00:00+00",
        "9999-12-31 23:59:59.999999+00",
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00+00 BC",
        "12026-01-01 00:00:00+00",
        None,
    ],
)
def test_times_are_read_as_psycopg2_reads_them(context, text):
    cursor = db.session.connection().connection.cursor()

    def outcome(read):
        try:
            return read(text, cursor)
        except (ValueError, OverflowError) as error:
            return type(error)

    assert outcome(moment_of) == outcome(extensions.PYDATETIMETZ)


def test_times_come_from_the_database_through_it(context):
    moment = db.session.scalar(text("SELECT timestamptz '2026-11-25 10:44:11.5+02'"))
    assert moment == datetime(2026, 11, 25, 8, 44, 11, 500000, UTC)
    assert extensions.string_types[1184].name == "TIMESTAMPTZ"
    assert db.session.scalar(text("SELECT NULL::timestamptz")) is None
