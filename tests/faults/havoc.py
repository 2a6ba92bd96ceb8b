"""What may happen to a portal, by name. Each fault happens, lasts as long as it does, and ends with everything running."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg2
import redis

from app.foundation.embedded.location import DATABASE, USER, private_directory
from app.foundation.embedded.postgres import Postgres, binary
from app.foundation.embedded.processes import bound_to_parent
from tests.deployment import Deployment
from tests.runtime.processes import Started, wait_until

FROZEN_SECONDS = 5
CUT_SECONDS = 5

Fault = Callable[[Deployment, random.Random], None]


def kill(name: str) -> Fault:
    """`kill -9` of the process and all it started; its supervisor starts it again."""

    def happen(portal: Deployment, chance: random.Random) -> None:
        portal.kill(name)
        time.sleep(chance.uniform(0, 1))
        portal.revive(name)

    return happen


def restart(name: str) -> Fault:
    """Stopped in order and started again."""

    def happen(portal: Deployment, _chance: random.Random) -> None:
        portal.stop(name)
        portal.start(name)

    return happen


def freeze(name: str) -> Fault:
    """It accepts and never answers, for `FROZEN_SECONDS`, with all that it started."""

    def happen(portal: Deployment, _chance: random.Random) -> None:
        family = [psutil.Process(portal.running[name].pid), *portal.running[name].descendants()]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGSTOP)
        time.sleep(FROZEN_SECONDS)
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGCONT)

    return happen


def flush_redis(portal: Deployment, _chance: random.Random) -> None:
    """Everything in Redis is gone: queues, entries of the scheduler, locks."""
    redis.Redis.from_url(portal.redis.url).flushall()


def cut_connections(portal: Deployment, chance: random.Random) -> None:
    """Every connection of the portal is ended by the server, again and again."""
    end = time.monotonic() + CUT_SECONDS
    while time.monotonic() < end:
        portal.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        time.sleep(chance.uniform(0.05, 0.4))


def fail_over(portal: Deployment, _chance: random.Random) -> None:
    """The server dies for good, and its copy, which had every commit, takes over its address."""
    standby = Standby(portal)
    portal.kill("postgres")
    standby.take_over()


def address_of(portal: Deployment) -> Path:
    """Where the portal looks for PostgreSQL: a name that can be moved from one server to another."""
    return portal.folder / "address"


def behind_one_address(portal: Deployment) -> None:
    """Before anything but the engines is started: the portal knows PostgreSQL by an address, not by its folder."""
    address_of(portal).symlink_to(portal.postgres.sockets)
    portal.database_url = f"postgresql+psycopg2://{USER}@/{DATABASE}?host={address_of(portal)}"
    portal.env["DATABASE_URL"] = portal.database_url


class Standby:
    """A streaming copy of the portal's PostgreSQL, which every commit waits for."""

    def __init__(self, portal: Deployment) -> None:
        self.portal = portal
        copies = len(list(portal.folder.glob("standby-*")))
        self.server = Postgres(portal.folder / f"standby-{copies + 1}")
        private_directory(self.server.data_dir)
        source = ["-h", str(portal.postgres.sockets), "-U", USER]
        options = ["-D", str(self.server.folder), "--write-recovery-conf", "--checkpoint=fast"]
        subprocess.run([str(binary("pg_basebackup")), *source, *options], check=True, capture_output=True)
        self.server.prepare()
        log = portal.folder / f"standby-{copies + 1}.log"
        portal.logs.append(log)
        self.process = Started(bound_to_parent(self.server.command()), portal.env, log)
        wait_until(lambda: self._ask("SELECT pg_is_in_recovery()"))
        self._on_primary("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self._on_primary("SELECT pg_reload_conf()")
        state = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
        wait_until(lambda: portal.one(state) == 1)
        # Whether commits wait is decided by the checkpointer, which reads its settings before it does what it is asked.
        self._on_primary("CHECKPOINT")

    def take_over(self) -> None:
        """Become the server, and only then be found under the address."""
        self._ask("SELECT pg_promote()")
        moved = address_of(self.portal).with_suffix(".moved")
        moved.symlink_to(self.server.sockets)
        moved.replace(address_of(self.portal))
        self.portal.postgres, self.portal.running["postgres"] = self.server, self.process

    def _ask(self, query: str) -> object:
        try:
            connection = psycopg2.connect(host=str(self.server.sockets), user=USER, dbname="postgres")
        except psycopg2.OperationalError:
            return None
        with connection.cursor() as cursor:
            cursor.execute(query)
            [answer] = cursor.fetchone()
        connection.close()
        return answer

    def _on_primary(self, statement: str) -> None:
        connection = psycopg2.connect(host=str(self.portal.postgres.sockets), user=USER, dbname="postgres")
        connection.autocommit = True
        connection.cursor().execute(statement)
        connection.close()


def deploy(portal: Deployment, _chance: random.Random) -> None:
    """A new version: the processes of the portal are stopped as a supervisor does, set up, and started."""
    for name in ("web", "worker", "worker.long", "scheduler"):
        if name in portal.running:
            portal.stop(name)
    portal.run("setup")
    portal.revive("worker", "scheduler", "web")


def set_up_twice(portal: Deployment, _chance: random.Random) -> None:
    """Two migrations at once, while the portal serves."""
    command = [sys.executable, "-m", "flask", "--app", "app", "setup"]
    both = [
        subprocess.Popen(command, env=portal.env | _silent(), stdout=subprocess.DEVNULL) for _ in range(2)
    ]
    assert [each.wait(120) for each in both] == [0, 0]


def _silent() -> dict[str, str]:
    return {"PYTHONPATH": os.getcwd()}  # noqa: PTH109 - of the repository, where the drills are started


FAULTS: dict[str, Fault] = {
    "web killed": kill("web"),
    "worker killed": kill("worker"),
    "scheduler killed": kill("scheduler"),
    "Redis killed": kill("redis"),
    "PostgreSQL killed": kill("postgres"),
    "web stopped and started": restart("web"),
    "Redis stopped and started": restart("redis"),
    "PostgreSQL stopped and started": restart("postgres"),
    "Redis emptied": flush_redis,
    "Redis answers nothing": freeze("redis"),
    "PostgreSQL answers nothing": freeze("postgres"),
    "connections cut": cut_connections,
    "PostgreSQL fails over to its copy": fail_over,
    "a deploy": deploy,
    "set up twice at once": set_up_twice,
}
