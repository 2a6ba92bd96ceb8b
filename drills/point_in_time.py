"""A row was deleted by mistake: PostgreSQL is set back to the second before, as docs/operations/backup.md says.

    python -m drills.point_in_time

An embedded server archives its log; a copy of it is taken while it runs; departments are made, one is deleted and
others are made after that. The copy is recovered to the moment before. Exit status 1 unless the deleted one is back,
what came before it is there, and what came after it is not.
"""

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2

from app.foundation.embedded import privilege
from app.foundation.embedded.postgres import Postgres, binary
from app.foundation.embedded.processes import wait_until
from app.foundation.embedded.running import process


class Server(Postgres):
    """An embedded server with settings of its own in postgresql.auto.conf."""

    def ask(self, statement: str) -> Any:
        with closing(
            psycopg2.connect(host=str(self.sockets), user="portalops", dbname="portalops")
        ) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else None

    def configure(self, **settings: str) -> None:
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        with (self.folder / "postgresql.auto.conf").open("a") as file:
            file.writelines(lines)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="pitr-", dir="/tmp") as folder:
        found = drill(Path(folder))
    print(f"departments after recovery: {', '.join(found)}")
    if found != ["before", "deleted by mistake", "right before"]:
        sys.exit("The drill failed.")
    print("The deleted department is back, and nothing that came after.")


def drill(folder: Path) -> list[str]:
    wal = folder / "wal"
    wal.mkdir()
    server = Server(folder / "portal")
    server.prepare()
    server.configure(
        archive_mode="on",
        archive_command=f"test ! -f {wal}/%f && cp %p {wal}/.%f && mv {wal}/.%f {wal}/%f",
        archive_timeout="60",
    )
    with process(server):
        server.wait_ready()
        server.create_database()
        server.ask(
            "CREATE TABLE departments (name text); INSERT INTO departments VALUES ('before'), ('deleted by mistake')"
        )
        copy = base_backup(server, folder)
        server.ask("INSERT INTO departments VALUES ('right before')")
        [[moment]] = server.ask("SELECT clock_timestamp()::text")
        say("took the moment", moment)
        server.ask("SELECT pg_sleep(0.2); DELETE FROM departments WHERE name = 'deleted by mistake'")
        server.ask("INSERT INTO departments VALUES ('after')")
        [[last]] = server.ask("SELECT pg_walfile_name(pg_switch_wal())")
        wait_until((wal / last).exists, 30, "the archive")
        say("log archived up to", last)
    return recover(copy, folder, wal, moment)


def base_backup(server: Server, folder: Path) -> Path:
    """A copy of the running server."""
    copy = folder / "base"
    begun = time.monotonic()
    where = [f"--host={server.sockets}", "--username=portalops"]
    run(server, "pg_basebackup", *where, f"--pgdata={copy}", "--checkpoint=fast", "--wal-method=stream")
    say("copied the running server in", f"{time.monotonic() - begun:.1f} s")
    return copy


def recover(copy: Path, folder: Path, wal: Path, moment: str) -> list[str]:
    """A server made of the copy and the log, up to this moment; the names that it has."""
    recovered = Server(folder / "recovered")
    recovered.data_dir.mkdir(mode=0o700)
    shutil.copytree(copy, recovered.folder)
    recovered.prepare()
    recovered.configure(
        archive_mode="off",
        restore_command=f"cp {wal}/%f %p",
        recovery_target_time=moment,
        recovery_target_action="promote",
    )
    (recovered.folder / "recovery.signal").touch()
    begun = time.monotonic()
    with process(recovered):
        recovered.wait_ready()
        wait_until(lambda: recovered.ask("SELECT pg_is_in_recovery()") == [(False,)], 30, "recovery")
        say("recovered in", f"{time.monotonic() - begun:.1f} s")
        return [name for (name,) in recovered.ask("SELECT name FROM departments ORDER BY name")]


def run(server: Server, program: str, *words: str) -> None:
    subprocess.run([*privilege.runner(server.folder), str(binary(program)), *words], check=True)


def say(what: str, value: str) -> None:
    print(f"{what} {value}", flush=True)


if __name__ == "__main__":
    main()
