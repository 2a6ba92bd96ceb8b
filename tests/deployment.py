"""A whole portal of real processes on loopback: engines, gunicorn, worker and scheduler, and clients that talk to it."""

import http.client
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg2

from app.foundation.embedded.postgres import Postgres
from app.foundation.embedded.processes import bound_to_parent
from app.foundation.embedded.redis import Redis
from tests import cast
from tests.runtime.processes import ROOT, Started, wait_until

HR_KEY = "a key that HR's system sends to processes"
_FLASK = [sys.executable, "-m", "flask", "--app", "app"]
_PROGRAMS = {
    "web": [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"],
    "front": [sys.executable, "deploy/web.py"],
    "worker": [*_FLASK, "worker"],
    "scheduler": [*_FLASK, "scheduler"],
    "setup": [*_FLASK, "setup"],
}


@dataclass(frozen=True)
class Answer:
    """What the web process said, and how long it took (seconds)."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Deployment:
    """Processes by name: `redis`, `web`, `worker`, `scheduler`, and any copy such as `scheduler.2`.

    `front` is `web` as it is deployed, behind a process that can replace it.

    Without a database of somebody else's there is `postgres` too.
    """

    def __init__(self, folder: Path, database_url: str = "", **env: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.postgres, self.redis = Postgres(folder / "data"), Redis(folder / "data")
        self.database_url = database_url or self.postgres.url
        self.port = free_port()
        self.code = ROOT  # of processes that are started from now on
        self.running: dict[str, Started] = {}
        self.logs: list[Path] = []
        self._reported: dict[Path, int] = {}
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis.url,
            "DATA_DIR": str(folder / "data"),
            "PORT": str(self.port),
            "SECRET_KEY": "s" * 40,
            "JWT_SECRET_KEY": "j" * 40,
            "HR_WEBHOOK_API_KEY": HR_KEY,
            "ADMIN_EMAIL": "first@example.com",
            "ADMIN_PASSWORD": cast.PASSWORD,
            **env,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.report()

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, *names: str, wait: bool = True) -> None:
        """Start processes side by side, and return when the engines answer and, if asked to, the web process is healthy.

        From the main thread only: each process dies with the thread that started it.
        """
        for name in names:
            log = self.folder / f"{len(self.logs):02}-{name}.log"
            self.logs.append(log)
            self.running[name] = Started(bound_to_parent(self._command(name)), self.env, log, self.code)
            if name in {"redis", "postgres"}:
                getattr(self, name).wait_ready()
        for name in {"web", "front"} & set(names) if wait else ():
            wait_until(lambda name=name: self._is_up() or not self.running[name].alive, 90)

    def open(self, *names: str) -> None:
        """Start its own engines, set up a database in them, and start these processes."""
        self.start("postgres", "redis")
        self.postgres.create_database()
        self.run("setup")
        self.start(*names)

    def revive(self, *names: str, wait: bool = True) -> None:
        """Start those of these processes that died, as a supervisor does."""
        for name in names:
            if name not in self.running or not self.running[name].alive:
                self.start(name, wait=wait)

    def run(self, name: str) -> str:
        """Run a command to its end and return what it said."""
        self.start(name)
        process = self.running.pop(name)
        assert process.end() == 0, process.output
        return process.output

    def kill(self, name: str) -> None:
        """`kill -9` of the process and all it started, arbiter first as an out-of-memory killer might."""
        process = self.running.pop(name)
        if not process.alive:
            return
        family = [psutil.Process(process.pid), *process.descendants()]
        for member in family:
            member.kill()
        process.end()
        psutil.wait_procs(family, timeout=10)

    def stop(self, name: str) -> None:
        """Ask the process to end, as a supervisor does, and wait for it."""
        process = self.running.pop(name)
        process.signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        process.end()

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """The process accepts connections and answers nothing, like a machine behind a broken network."""
        self.running[name].signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.running[name].signal(signal.SIGCONT)

    def end(self) -> None:
        """End whatever runs, by pid."""
        for name in reversed(list(self.running)):
            self.running[name].signal(signal.SIGCONT)
            self.kill(name)

    def report(self) -> None:
        """Write out what was said since the last report; pytest shows it when a test failed."""
        for log in self.logs:
            text = log.read_text(errors="replace")
            fresh = text[self._reported.get(log, 0) :]
            self._reported[log] = len(text)
            if fresh:
                sys.stdout.write(f"--- {log.name}\n{fresh[-6000:]}\n")

    def _command(self, name: str) -> list[str]:
        if name in {"redis", "postgres"}:
            engine = getattr(self, name)
            engine.prepare()
            return engine.command()
        return _PROGRAMS[name.partition(".")[0]]

    def _is_up(self) -> bool:
        try:
            return self.get("/health", timeout=2).status == 200
        except (OSError, http.client.HTTPException):
            return False

    # --- clients --------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float = 30,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        begun = time.monotonic()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        return Answer(answer.status, dict(answer.getheaders()), content, time.monotonic() - begun)

    def get(self, path: str, *, token: str | None = None, timeout: float = 30) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.request("GET", path, headers=headers, timeout=timeout)

    def send(self, method: str, path: str, body: Any, *, token: str | None = None, **headers: str) -> Answer:
        """A script's call with a JSON body."""
        sent = {"Content-Type": "application/json", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        return self.request(method, path, json.dumps(body).encode(), sent)

    def hr(self, kind: str, *, headers: dict[str, str] | None = None, **employee: Any) -> Answer:
        """HR's call of a webhook."""
        body = json.dumps({"employee": employee}).encode()
        sent = {"Content-Type": "application/json", "X-API-Key": HR_KEY, **(headers or {})}
        return self.request("POST", f"/api/webhooks/hr/{kind}", body, sent)

    def token_of(self, name: str) -> str:
        """A script's sign-in with a password."""
        body = {"username": f"{name}@example.com", "password": cast.PASSWORD, "provider": "db"}
        answer = self.send("POST", "/api/v1/security/login", body)
        assert answer.status == 200, answer.body
        return answer.json["access_token"]

    def rows(self, query: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
        """What stands in the database, read past the application."""
        connection = psycopg2.connect(self.database_url.replace("+psycopg2", ""))
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, named or values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def one(self, query: str, *values: Any) -> Any:
        """The only value of the only row."""
        [[value]] = self.rows(query, *values)
        return value


@contextmanager
def throwaway(**env: str) -> Iterator[Deployment]:
    """A portal in a folder that goes with it, and which keeps what it said to itself."""
    with tempfile.TemporaryDirectory(prefix="portalops-") as folder:
        portal = Deployment(Path(folder), **env)
        try:
            yield portal
        finally:
            portal.end()


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Make all calls at the same time, each in a thread of its own; a call that raises makes the test fail."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
