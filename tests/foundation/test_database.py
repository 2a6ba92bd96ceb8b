"""The pool hands out no connection that PostgreSQL has closed meanwhile, and asks no statement to find out."""

import select

from sqlalchemy import text

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
