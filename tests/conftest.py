"""One embedded PostgreSQL and Redis per worker; a fresh copy of a template database per test, really committed to."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from flask import Flask
from sqlalchemy import event, select

from app import create_app
from app.foundation import jobs, redis_client
from app.foundation.database import db
from app.foundation.embedded.running import Engines, running
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.viewer import Viewer
from config import Settings, load
from tests import cast
from tests.visitor import Visitor, apart

HR_KEY = "a key that HR's system sends in tests"


MEMORY = Path("/dev/shm")
ROOM_BYTES = 2 * 1024**3


def quick_folder() -> Path | None:
    """Memory, where there is enough for a database in each worker: a copy of one takes 20 ms there, on a disk 40 to 400."""
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    return MEMORY if roomy else None


@pytest.fixture(scope="session")
def engines() -> Iterator[Engines]:
    with (
        tempfile.TemporaryDirectory(prefix="portalops-tests-", dir=quick_folder()) as folder,
        running(Path(folder), fast=True) as started,
    ):
        yield started


@pytest.fixture(scope="session")
def settings(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load(
        {
            "DATABASE_URL": engines.postgres.url.replace("/portalops?", "/test?"),
            "REDIS_URL": engines.redis.url,
            "DATA_DIR": str(tmp_path_factory.mktemp("data")),
            "SECRET_KEY": "s" * 40,
            "JWT_SECRET_KEY": "j" * 40,
            "HR_WEBHOOK_API_KEY": HR_KEY,
            "ADMIN_PASSWORD": cast.PASSWORD,
            "ADMIN_EMAIL": "first@example.com",
        }
    )


@pytest.fixture(scope="session")
def one_app(settings: Settings) -> Flask:
    """The application; building one takes longer than most tests."""
    app = create_app(settings)
    jobs.bind(app)
    return app


@pytest.fixture(scope="session")
def templates(engines: Engines, one_app: Flask) -> Callable[[str], None]:
    """Makes the template databases `empty` and `cast`, and copies one to the database that the application uses."""
    server = psycopg2.connect(
        engines.postgres.url.replace("+psycopg2", "").replace("/portalops?", "/postgres?")
    )
    server.autocommit = True

    def run(statement: str) -> None:
        with one_app.app_context():
            db.engine.dispose()
        with server.cursor() as cursor:
            cursor.execute(statement)

    def copy(template: str, name: str = "test") -> None:
        run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')

    run("CREATE DATABASE test")
    result = one_app.test_cli_runner().invoke(args=["setup"])
    assert result.exit_code == 0, result.output
    copy("test", "empty")
    with one_app.app_context():
        cast.settle()
        db.session.commit()
    copy("test", "cast")
    return copy


@pytest.fixture
def app(one_app: Flask, settings: Settings, templates: Callable[[str], None]) -> Iterator[Flask]:
    """The application with the cast and their world, and no exported head of another test's log."""
    templates("cast")
    shutil.rmtree(settings.data_dir / "audit-heads", ignore_errors=True)
    one_app.extensions.pop("locked_addresses", None)
    with one_app.app_context():
        redis_client.quick().flushdb()
    yield one_app
    with one_app.app_context():
        db.session.remove()


@pytest.fixture
def empty_app(one_app: Flask, templates: Callable[[str], None]) -> Flask:
    """The application as `flask setup` leaves it: roles and the first administrator."""
    templates("empty")
    return one_app


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """Inside the application, outside of a request: no row rule holds."""
    with app.app_context():
        yield app
        db.session.remove()


@pytest.fixture
def world(app: Flask) -> cast.World:
    with app.app_context():
        return cast.find_world()


@pytest.fixture
def visit(app: Flask) -> Callable[[str | None], Visitor]:
    """A browser or a script of somebody of the cast; of nobody without a name."""
    return lambda name=None: Visitor(app, name)


@pytest.fixture
def root(visit) -> Visitor:
    return visit("root")


@pytest.fixture
def alice(visit) -> Visitor:
    return visit("alice")


@pytest.fixture
def bob(visit) -> Visitor:
    return visit("bob")


@pytest.fixture
def charlie(visit) -> Visitor:
    return visit("charlie")


@pytest.fixture
def nobody(visit) -> Visitor:
    return visit(None)


@pytest.fixture
def hr(app: Flask):
    """HR's system: `hr("onboarding", name=..., email=...)` posts the webhook."""

    def call(kind: str, *, key: str | None = HR_KEY, headers: dict[str, str] | None = None, **employee):
        sent = {**({"X-API-Key": key} if key else {}), **(headers or {})}
        return apart(
            app.test_client().post, f"/api/webhooks/hr/{kind}", json={"employee": employee}, headers=sent
        )

    return call


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """Do all promised work as the worker would, one row at a time; says how many rows."""

    def run() -> int:
        done = 0
        while True:
            with app.app_context():
                query = select(OutboxMessage.id).where(OutboxMessage.state == OutboxState.WAITING)
                waiting = list(db.session.scalars(query.order_by(OutboxMessage.id)))
                db.session.remove()
            if not waiting:
                return done
            for key in waiting:
                apart(jobs.perform, key)
            with app.app_context():
                failed = db.session.scalar(
                    select(OutboxMessage.last_error).where(
                        OutboxMessage.id.in_(waiting), OutboxMessage.last_error.is_not(None)
                    )
                )
                assert failed is None, failed
            done += len(waiting)

    return run


@pytest.fixture
def viewer_of(app: Flask, world: cast.World) -> Callable[[str], Viewer]:
    """The eyes of somebody of the cast, for `viewing_as`."""
    roles = {
        "root": {"Admin"},
        "alice": {"ServiceAdministrator"},
        "bob": {"ProductAdministrator"},
        "charlie": set(),
    }

    def make(name: str) -> Viewer:
        return Viewer(world.people[name], None, name, f"{name}@example.com", frozenset(roles[name]))

    return make


@pytest.fixture
def statements(app: Flask):
    """Counts SQL statements: `with statements() as seen: ...; len(seen)`."""

    @contextmanager
    def count() -> Iterator[list[str]]:
        seen: list[str] = []
        with app.app_context():
            engine = db.engine

        def note(_connection, _cursor, statement, *_rest) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return count


@pytest.fixture
def explained(context: Flask):
    """How PostgreSQL goes about the statements of a call, by its own choice: a plan for each."""

    def explain(call: Callable[[], object]) -> list[str]:
        seen = []

        def note(_connection, _cursor, statement, parameters, *_rest) -> None:
            seen.append((statement, parameters))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            call()
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        run = db.session.connection().exec_driver_sql
        return [
            "\n".join(run(f"EXPLAIN {statement}", parameters).scalars()) for statement, parameters in seen
        ]

    return explain
