"""What connections are like: none that PostgreSQL has closed meanwhile, and no transaction before one is needed."""

import select

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, TRANSACTION_STATUS_INTRANS
from sqlalchemy import select as select_from
from sqlalchemy import text

from app.directory.models import Department, Person
from app.foundation.database import db


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
