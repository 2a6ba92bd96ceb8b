"""Migrations beside a portal in use: they let others go first, try again, and never run two at once."""

from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import text

from app.foundation import migrating
from app.foundation.database import db
from app.foundation.embedded.running import Engines
from tests.deployment import Deployment


@pytest.fixture
def holder(empty_app, monkeypatch):
    """Somebody in whose transaction a table is held that every migration reads."""
    monkeypatch.setattr(migrating, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(migrating, "PAUSE_SECONDS", 0)
    connection = psycopg2.connect(empty_app.config["SQLALCHEMY_DATABASE_URI"].replace("+psycopg2", ""))
    connection.cursor().execute("LOCK alembic_version IN ACCESS EXCLUSIVE MODE")
    yield connection
    connection.close()


def test_setup_gives_up_and_says_why(empty_app, holder):
    result = empty_app.test_cli_runner().invoke(args=["setup"])
    assert result.exit_code == 1
    assert result.output.count("A table is in use") == migrating.ATTEMPTS - 1
    assert "Error: The database was not brought up to date, and nothing was changed" in result.output


def test_setup_tries_again_and_goes_on(empty_app, holder):
    said = []

    def say(line: str) -> None:
        said.append(line)
        holder.rollback()

    with empty_app.app_context():
        migrating.migrate(say)
        assert len(said) == 1
        assert "Trying again" in said[0]


def test_nothing_of_it_stays_with_the_connection(empty_app):
    """The lock and the time-outs end with the transaction."""
    with empty_app.app_context():
        migrating.migrate(pytest.fail)
        with db.engine.connect() as connection:
            assert connection.scalar(text("SHOW lock_timeout")) == "0"
            held = connection.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"))
        assert held == 0


def test_other_faults_are_not_taken_for_a_lock(empty_app):
    with empty_app.app_context(), db.engine.connect() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'none'"))
        connection.commit()
    result = empty_app.test_cli_runner().invoke(args=["setup"])
    assert result.exit_code == 1
    assert "A table is in use" not in result.output


@pytest.mark.runtime
def test_two_setups_at_once_are_as_one(engines: Engines, one_app, templates, tmp_path: Path) -> None:
    """Two processes on an empty database, as two containers that start together: both end well, everything is there once."""
    server = psycopg2.connect(
        engines.postgres.url.replace("+psycopg2", "").replace("/portalops?", "/postgres?")
    )
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute("CREATE DATABASE two_setups")
    names = ("setup", "setup.2", "setup.3")
    with Deployment(tmp_path, engines.postgres.url_of("two_setups")) as deployment:
        deployment.start("redis", *names)
        assert [deployment.running.pop(name).end(120) for name in names] == [0, 0, 0]
        assert deployment.one("SELECT count(*) FROM alembic_version") == 1
        assert deployment.one("SELECT count(*) FROM users") == 1
        assert deployment.one("SELECT count(*) - count(DISTINCT name) FROM ab_role") == 0
        roles = deployment.rows("SELECT name FROM ab_role ORDER BY name")
        assert [name for (name,) in roles] == [
            "Admin",
            "ProductAdministrator",
            "Public",
            "ServiceAdministrator",
        ]
