"""A portal that is backed up, and another one, with nothing in it, to restore into."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pyrage
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from app import create_app
from app.audit import heads
from app.directory.models import Department
from app.foundation.database import db
from app.foundation.embedded.running import Engines
from app.payments.history_models import Invoice
from config import load
from tests import cast
from tests.payments.files import png
from tests.payments.paying import FORM, upload

RESTORED = "restored"
ENTRIES = 500


@dataclass
class Elsewhere:
    """An empty database and an empty DATA_DIR."""

    engines: Engines
    data_dir: Path
    env: dict[str, str] = field(default_factory=dict)

    def app(self, **env: str) -> Flask:
        return create_app(
            load(
                {
                    "DATABASE_URL": self.engines.postgres.url_of(RESTORED),
                    "REDIS_URL": self.engines.redis.url,
                    "DATA_DIR": str(self.data_dir),
                    "ADMIN_PASSWORD": cast.PASSWORD,
                    **env,
                }
            )
        )

    def flask(self, *words: str, **env: str) -> Result:
        """A `flask` command over there, in a process's place."""
        app = self.app(**env)
        try:
            return app.test_cli_runner().invoke(args=[*words])
        finally:
            with app.app_context():
                db.engine.dispose()

    def statement(self, statement: str) -> list[tuple]:
        url = self.engines.postgres.url_of(RESTORED).replace("+psycopg2", "")
        with closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def empty(self, server: Callable[[str], None]) -> None:
        """Nothing in the database any more, and another DATA_DIR."""
        server(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")
        server(f"CREATE DATABASE {RESTORED}")
        self.data_dir = self.data_dir.with_name("elsewhere again")

    def is_empty(self) -> bool:
        return self.statement(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        ) == [(0,)]


@pytest.fixture
def server(engines: Engines) -> Iterator[Callable[[str], None]]:
    url = engines.postgres.url_of("postgres").replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        yield lambda statement: connection.cursor().execute(statement)


@pytest.fixture
def elsewhere(engines: Engines, server: Callable[[str], None], tmp_path: Path) -> Iterator[Elsewhere]:
    portal = Elsewhere(engines, tmp_path / "elsewhere")
    portal.empty(server)
    yield portal
    server(f"DROP DATABASE IF EXISTS {RESTORED} WITH (FORCE)")


@pytest.fixture
def back_up(app: Flask, tmp_path: Path) -> Callable[..., Path]:
    """`flask backup --to`, and the file it made."""

    def run() -> Path:
        ran = app.test_cli_runner().invoke(args=["backup", "--to", str(tmp_path / "backups")])
        assert ran.exit_code == 0, ran.output
        [path] = (tmp_path / "backups").iterdir()
        return path

    return run


@pytest.fixture
def used(app, root, world) -> str:
    """An invoice, many audit entries, an exported head; the name that the invoice lies under."""
    gmail = world.products["Gmail"]
    answer = root.post(f"/payments/products/{gmail}/record", upload((png(), "march.png"), **FORM))
    assert answer.status_code == 302
    with app.app_context():
        db.session.add_all(Department(name=f"Department {number}") for number in range(ENTRIES))
        db.session.commit()
        heads.export()
        return db.session.scalars(select(Invoice.stored_name)).one()


@pytest.fixture
def key(app, monkeypatch, tmp_path):
    """The file of a private key, whose public one backups are encrypted for."""
    identity = pyrage.x25519.Identity.generate()
    monkeypatch.setitem(app.config, "BACKUP_RECIPIENTS", (str(identity.to_public()),))
    path = tmp_path / "key.txt"
    path.write_text(f"# a comment\n{identity}\n")
    return path
