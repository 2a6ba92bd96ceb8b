"""The database's part of a backup: one snapshot, what stands in it, pg_dump of it, and pg_restore."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import which
from typing import IO, Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import make_dsn

from app.foundation import advisory
from app.foundation.backups.shelf import BackupError
from app.foundation.embedded.location import EmbeddedError
from app.foundation.embedded.postgres import binary

ONE_AT_A_TIME = advisory.key_of("backup")
_SYSTEMS = Path("/usr/lib/postgresql")
# What this version of the tools says to the server, an older server does not understand.
_NEW_TALK = 17
_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1
"""
_ANYTHING = """
    SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e') LIMIT 1
"""
# The same text of a row on every server: it is what the sums are made of.
_SESSION = """
    SET timezone = 'UTC'; SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET extra_float_digits = 1;
    SET bytea_output = 'hex'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = 0
"""

Tables = dict[str, dict[str, Any]]


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A connection of its own, without the limits that hold for requests. BackupError if nobody answers, or a pooler does."""
    try:
        connection = psycopg2.connect(url.replace("+psycopg2", "", 1), connect_timeout=5)
    except psycopg2.OperationalError as error:
        raise BackupError(f"The database does not answer: {str(error).strip()}") from None
    try:
        connection.autocommit = True
        _must_be_ours_alone(connection)
        connection.cursor().execute(_SESSION)
        yield connection
    except psycopg2.OperationalError as error:
        raise BackupError(f"The database went away: {str(error).strip()}") from None
    finally:
        connection.close()


def _must_be_ours_alone(connection: Any) -> None:
    """What pg_dump sets for its session, an empty search_path among it, a pooler would hand to the portal with the connection.

    A pooler answers a connection with a process id of its own making (protocol message BackendKeyData).
    """
    cursor = connection.cursor()
    cursor.execute("SELECT pg_backend_pid()")
    if cursor.fetchone()[0] != connection.info.backend_pid:
        raise BackupError(
            "The way to the database leads through a pooler, such as PgBouncer: name PostgreSQL itself in BACKUP_DATABASE_URL."
        )


@contextmanager
def snapshot(url: str) -> Iterator[tuple[Any, str]]:
    """A transaction that sees the database as it is now, and the name under which others see the same.

    BackupError if another backup of this database is being made.
    """
    with connected(url) as connection:
        connection.set_session("REPEATABLE READ", readonly=True, autocommit=False)
        cursor = connection.cursor()
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (ONE_AT_A_TIME,))
        if not cursor.fetchone()[0]:
            raise BackupError("Another backup is being made. Wait until it is done.")
        cursor.execute("SELECT pg_export_snapshot()")
        yield connection, cursor.fetchone()[0]
        connection.rollback()


def revision_of(connection: Any) -> str:
    """The migration that the tables are at. BackupError for a database that is not set up."""
    cursor = connection.cursor()
    cursor.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL")
    if not cursor.fetchone()[0]:
        raise BackupError("The database is empty: run `flask --app app setup` first.")
    cursor.execute("SELECT version_num FROM alembic_version")
    return str(cursor.fetchone()[0])


def tables_of(connection: Any) -> Tables:
    """How many rows each table has, and a sum over all of them that does not depend on their order."""
    cursor = connection.cursor()
    cursor.execute(_TABLES)
    found: Tables = {}
    for (name,) in cursor.fetchall():
        # The first 64 bits of each row's MD5 as a number: equal on every server and processor, and quick to add.
        summed = sql.SQL(
            "SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 16))::bit(64)::bigint), 0)::text FROM {} t"
        )
        cursor.execute(summed.format(sql.Identifier("public", name)))
        rows, checksum = cursor.fetchone()
        found[name] = {"rows": rows, "checksum": checksum}
    return found


def names_in(connection: Any, columns: list[tuple[str, str]]) -> Iterator[str]:
    """The names of files that stand in these (table, column)s, each once, piece by piece."""
    for table, column in columns:
        with connection.cursor(f"names_in_{table}") as cursor:
            cursor.execute(
                sql.SQL("SELECT DISTINCT {} FROM {}").format(
                    sql.Identifier(column), sql.Identifier("public", table)
                )
            )
            yield from (name for (name,) in cursor if name is not None)


def must_be_empty(connection: Any) -> None:
    """BackupError if there is anything in the database."""
    cursor = connection.cursor()
    cursor.execute(_ANYTHING)
    found = cursor.fetchone()
    if found:
        name = connection.info.dbname
        raise BackupError(
            f"The database {name} is not empty (it has {found[0]}). Nothing is ever overwritten: make an empty one with "
            f"`createdb {name}_restored`, name it in DATABASE_URL, and restore again."
        )


def empty_again(connection: Any) -> None:
    """Take everything out of a database that was empty before we filled it."""
    connection.cursor().execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


@contextmanager
def dumping(connection: Any, snapshot_name: str) -> Iterator[IO[bytes]]:
    """What pg_dump writes of this snapshot. BackupError if it fails."""
    options = [
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        "--compress=3",
        f"--snapshot={snapshot_name}",
    ]
    with _running("pg_dump", connection, options, stdout=subprocess.PIPE) as process:
        yield process.stdout  # type: ignore[misc]


@contextmanager
def restoring(connection: Any) -> Iterator[IO[bytes]]:
    """Where to write what pg_dump wrote; all of it is restored, or nothing. BackupError if it fails."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    with _running("pg_restore", connection, options, stdin=subprocess.PIPE) as process:
        yield process.stdin  # type: ignore[misc]
        process.stdin.close()  # type: ignore[union-attr]


@contextmanager
def _running(
    program: str, connection: Any, options: list[str], **pipes: int
) -> Iterator[subprocess.Popen[bytes]]:
    """A tool of PostgreSQL at the server of this connection; the password goes through its environment."""
    known = {name: value for name, value in connection.info.dsn_parameters.items() if name != "sslpassword"}
    command = [
        str(tool(program, connection.server_version // 10_000)),
        *options,
        f"--dbname={make_dsn(**known)}",
    ]
    env = {"LC_ALL": "C.UTF-8", "PGPASSWORD": connection.info.password or ""}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=env, stderr=said, **pipes)  # type: ignore[call-overload]
        try:
            yield process
            status = process.wait()
        except BrokenPipeError:
            status = process.wait() or 1
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):
                    pipe.close() if pipe else None
        if status:
            said.seek(0)
            words = said.read().decode("utf-8", "replace").strip().splitlines()
            raise BackupError(f"{program} failed: {words[0] if words else f'status {status}'}")


def tool(program: str, server: int) -> Path:
    """The program whose version is closest to the server's and not older. BackupError if there is none.

    An older server than 17 does not understand what a newer pg_restore says to it.
    """
    newest = _NEW_TALK - 1 if program == "pg_restore" and server < _NEW_TALK else 99
    fitting = [(version, path) for version, path in _tools(program) if server <= version <= newest]
    if not fitting:
        raise BackupError(
            f"The server is PostgreSQL {server}, and there is no {program} here that fits: "
            f"install the package postgresql-client-{server}."
        )
    return min(fitting)[1]


def _tools(program: str) -> Iterator[tuple[int, Path]]:
    """(version, path) of each one of the system and of the wheel."""
    paths = [*_SYSTEMS.glob(f"*/bin/{program}"), Path(which(program) or "")]
    with suppress(EmbeddedError):
        paths.append(binary(program))
    for path in paths:
        if path.is_file():
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
            if found := re.search(r"\) (\d+)", said):
                yield int(found[1]), path
