"""The engines, the data sets as databases, and the three servers that are compared, on loopback."""

import hashlib
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg2

from app.foundation.embedded.processes import bound_to_parent
from tests.deployment import Deployment
from tests.runtime.processes import Started, wait_until

# Over deploy/gunicorn.conf.py, for all three: what the figures of a run are compared by.
SYNC = "--worker-class sync --workers 2 --threads 1"
STOCK = {"ping": "benchmarks.stock.ping:create_app()", "stock": "benchmarks.stock.fab:create_app()"}
PORTAL = "portal"


class Servers:
    """Ours is the deployment's `web`, on a copy of a data set; beside it `ping` and `stock`."""

    def __init__(self, folder: Path, gunicorn: str = SYNC) -> None:
        self.portal = Deployment(folder, JWT_ACCESS_TOKEN_EXPIRE_MINUTES="1440")
        self.portal.database_url = self.portal.postgres.url_of(PORTAL)
        self.portal.env |= {
            "DATABASE_URL": self.portal.database_url,
            "STOCK_DATABASE_URL": self.portal.postgres.url_of("stock"),
            **({"GUNICORN_CMD_ARGS": gunicorn} if gunicorn else {}),
        }
        self.ports = {name: _free_port() for name in STOCK}

    def start_engines(self) -> None:
        self.portal.start("postgres", "redis")

    def start_stock(self) -> None:
        """A fresh stock FAB and ping."""
        self._statement("DROP DATABASE IF EXISTS stock WITH (FORCE)")
        self.portal.postgres.create_database("stock")
        self._python("benchmarks.stock.fab")
        for name, application in STOCK.items():
            command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", application]
            env = self.portal.env | {"PORT": str(self.ports[name])}
            self.portal.running[name] = Started(
                bound_to_parent(command), env, self.portal.folder / f"{name}.log"
            )
            wait_until(lambda name=name: self._answers(name))

    def start_portal(self, size: str) -> None:
        """Our server on a copy of this data set; made first if it is not there."""
        if "web" in self.portal.running:
            self.portal.kill("web")
        seeded = self.seeded(size)
        self._statement(f"DROP DATABASE IF EXISTS {PORTAL} WITH (FORCE)")
        self._statement(f"CREATE DATABASE {PORTAL} TEMPLATE {seeded} STRATEGY FILE_COPY")
        # What the seeding left to be written is written now, not during a measurement.
        self._statement("CHECKPOINT")
        self.portal.start("web")

    def seeded(self, size: str) -> str:
        """The database of this data set; made first if it is not there."""
        name = f"seeded_{size.lower()}_{_version(self.portal.code)}"
        if not self._exists(name):
            self._seed(size, name)
        return name

    def make_empty(self, name: str) -> None:
        """A database with nothing in it."""
        self.drop(name)
        self.portal.postgres.create_database(name)

    def drop(self, name: str) -> None:
        self._statement(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def size_of(self, name: str) -> int:
        """Bytes on the disk."""
        return int(self._statement("SELECT pg_database_size(%s)", name)[0][0])

    def address(self, name: str) -> str:
        port = self.portal.port if name == "portal" else self.ports[name]
        return f"http://127.0.0.1:{port}"

    def end(self) -> None:
        """PostgreSQL in order, as its folder may be kept; the others at once."""
        for name in reversed(list(self.portal.running)):
            (self.portal.stop if name == "postgres" else self.portal.kill)(name)

    def _seed(self, size: str, name: str) -> None:
        """Under another name until it is whole."""
        print(f"seeding {size} ...", flush=True)
        self._statement("DROP DATABASE IF EXISTS seeding WITH (FORCE)")
        self.portal.postgres.create_database("seeding")
        self._python("benchmarks.data", size, self.portal.postgres.url_of("seeding"))
        self._statement(f"ALTER DATABASE seeding RENAME TO {name}")

    def _python(self, module: str, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", module, *words], cwd=self.portal.code, env=self.portal.env, check=True
        )

    def _exists(self, database: str) -> bool:
        return bool(self._statement("SELECT 1 FROM pg_database WHERE datname = %s", database))

    def _statement(self, statement: str, *values: str) -> list[Any]:
        url = self.portal.postgres.url_of("postgres").replace("+psycopg2", "")
        with closing(psycopg2.connect(url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall() if cursor.description else []

    def _answers(self, name: str) -> bool:
        if not self.portal.running[name].alive:
            raise SystemExit(self.portal.running[name].output)
        with closing(http.client.HTTPConnection("127.0.0.1", self.ports[name], timeout=5)) as connection:
            try:
                connection.request("GET", "/ping")
                return connection.getresponse().status > 0
            except OSError:
                return False


@contextmanager
def running(folder: Path, gunicorn: str = SYNC) -> Iterator[Servers]:
    """The engines, and this process's environment set so that an application in it is the same portal."""
    servers = Servers(folder, gunicorn)
    try:
        servers.start_engines()
        os.environ |= servers.portal.env
        yield servers
    finally:
        servers.end()


def _version(code: Path) -> str:
    """A data set is made anew when what makes it, or the tables, have changed."""
    files = [code / "benchmarks/data.py", *sorted((code / "migrations/versions").glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
