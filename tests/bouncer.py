"""Debian's PgBouncer before the embedded PostgreSQL, with the settings of `deploy/pgbouncer.ini` but for addresses."""

import configparser
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from app.foundation.embedded import privilege
from app.foundation.embedded.postgres import Postgres
from app.foundation.embedded.processes import bound_to_parent
from tests.architecture.sources import ROOT
from tests.runtime.processes import wait_until

POOL = 3
"""Few connections, so that the portal's processes have to take turns."""


@contextmanager
def bouncing(postgres: Postgres, database: str, folder: Path, **settings: object) -> Iterator[str]:
    """The URL of a database through PgBouncer, which only a Unix socket in the folder leads to, unless settings say more."""
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "deploy" / "pgbouncer.ini")
    *_, query = ini["databases"]["portalops"].partition("connect_query=")
    ini["databases"] = {
        database: f"host={postgres.sockets} dbname={database} user=portalops connect_query={query}"
    }
    ini["pgbouncer"].update(
        {
            "listen_addr": "",
            "unix_socket_dir": str(folder),
            "auth_type": "any",
            "default_pool_size": str(POOL),
            "logfile": str(folder / "pgbouncer.log"),
            "pidfile": str(folder / "pgbouncer.pid"),
            **{name: str(value) for name, value in settings.items()},
        }
    )
    for name in ("auth_file", "server_tls_sslmode", "server_tls_ca_file"):
        del ini["pgbouncer"][name]
    with (folder / "pgbouncer.ini").open("w") as file:
        ini.write(file)
    program = [*privilege.runner(folder), "pgbouncer", "--quiet", str(folder / "pgbouncer.ini")]
    process = subprocess.Popen(bound_to_parent(program))
    try:
        wait_until(lambda: any(folder.glob(".s.PGSQL.*")) or process.poll() is not None)
        yield f"postgresql+psycopg2://portalops@/{database}?host={quote(str(folder), safe='')}&port=6432"
    finally:
        process.terminate()
        process.wait()
