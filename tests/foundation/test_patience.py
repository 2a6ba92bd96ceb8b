"""Waiting for PostgreSQL: as long as it takes while somebody is there, and no longer."""

import os
import signal
import time

import psutil
import psycopg2
import pytest
from psycopg2 import extensions

from app.foundation import patience


@pytest.fixture
def connect(engines, context, monkeypatch):
    """Connections that wait as those of the web processes do, with less patience."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.2)
    patience._nobody_there_at.clear()
    address = engines.postgres.url_of("test").replace("+psycopg2", "")
    opened = []

    def open_one() -> psycopg2.extensions.connection:
        opened.append(psycopg2.connect(address))
        return opened[-1]

    extensions.set_wait_callback(patience.wait)
    yield open_one
    extensions.set_wait_callback(None)
    for connection in opened:
        connection.close()


@pytest.fixture
def stopped():
    """Processes of PostgreSQL that stand still until the test ends."""
    still = []

    def stop(*pids: int) -> None:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
            still.append(pid)

    yield stop
    for pid in still:
        os.kill(pid, signal.SIGCONT)


def test_slow_statement_is_waited_for_while_the_server_is_there(connect):
    cursor = connect().cursor()
    cursor.execute("SELECT pg_sleep(1), 'done'")
    assert cursor.fetchone()[1] == "done"


def test_cursor_of_the_server_works(connect):
    """Exports read with one."""
    with connect().cursor("export") as cursor:
        cursor.execute("SELECT generate_series(1, 5000)")
        assert len(cursor.fetchmany(1000)) == 1000


def test_error_of_a_statement_is_its_own(connect):
    connection = connect()
    with pytest.raises(psycopg2.errors.DivisionByZero):
        connection.cursor().execute("SELECT 1 / 0")
    connection.rollback()
    connection.cursor().execute("SELECT 1")


def test_server_that_stands_still_is_given_up(connect, stopped):
    connection = connect()
    postmaster = psutil.Process(connection.info.backend_pid).parent()
    stopped(*(process.pid for process in (postmaster, *postmaster.children())))
    for call, seconds in ((lambda: connection.cursor().execute("SELECT 1"), 1.2), (connect, 0.4)):
        begun = time.monotonic()
        with pytest.raises(psycopg2.OperationalError, match="does not answer"):
            call()
        assert time.monotonic() - begun < seconds + 0.3
    assert connection.closed


def test_connection_that_stands_still_alone_is_given_up_at_last(connect, stopped, monkeypatch):
    """The server is there, so the statement may only be slow: up to a limit that it would have kept."""
    monkeypatch.setattr(patience, "LONGEST_SECONDS", 1)
    connection = connect()
    stopped(connection.info.backend_pid)
    begun = time.monotonic()
    with pytest.raises(psycopg2.OperationalError, match="does not answer"):
        connection.cursor().execute("SELECT 1")
    assert time.monotonic() - begun >= 1
    connect().cursor().execute("SELECT 1")


def test_server_that_is_gone_is_an_error_at_once(connect):
    connection = connect()
    os.kill(connection.info.backend_pid, signal.SIGTERM)
    with pytest.raises(psycopg2.OperationalError):
        connection.cursor().execute("SELECT pg_sleep(5)")
