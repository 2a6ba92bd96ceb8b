"""What stands beside a root that the portal runs in: PostgreSQL and Redis, and those who ask the portal something."""

import contextlib
import http.client
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from app.foundation.embedded import redis as embedded_redis
from app.foundation.embedded.location import USER as OWNER
from app.foundation.embedded.postgres import Postgres
from app.foundation.embedded.processes import bound_to_parent
from drills.apart import Row
from drills.image_build import REPOSITORY
from drills.rooted import mount

HOST = "portal.example.com"


class Beside(contextlib.ExitStack):
    """Its processes end with it."""

    def __init__(self, work: Path) -> None:
        super().__init__()
        self.work, self.secrets = work, work / "secrets"

    def make_secrets(self) -> None:
        """As for containers."""
        command = [REPOSITORY / "deploy/make-secrets.sh", self.secrets]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def engines(self) -> None:
        """Both with passwords, by TCP, at the ports that the settings say. Nobody outside can reach this loopback."""
        postgres = Postgres(self.work / "engines")
        postgres.prepare()
        rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
        (postgres.folder / "pg_hba.conf").write_text(rules, encoding="utf-8")
        self._beside("postgres", [*postgres.command(), "-c", "listen_addresses=127.0.0.1"])
        postgres.wait_ready()
        postgres.create_database()
        secret = (self.secrets / "postgres_password").read_text()
        server = psycopg2.connect(host=str(postgres.sockets), user=OWNER, dbname="postgres")
        with contextlib.closing(server), server, server.cursor() as cursor:
            cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(sql.Identifier(OWNER)), [secret])
        # The Redis of docker-compose.yml with its own file, which finds its password where a container would.
        mount("-t", "tmpfs", "tmpfs", "/run")
        Path("/run/secrets").mkdir()
        mount("--bind", self.secrets, "/run/secrets")
        folder = self.work / "redis"
        folder.mkdir()
        settings = ["--dir", str(folder), "--bind", "127.0.0.1"]
        self._beside(
            "redis", [str(embedded_redis.executable()), str(REPOSITORY / "deploy/redis.conf"), *settings]
        )

    def _beside(self, name: str, command: list[str]) -> None:
        log = self.enter_context((self.work / f"{name}.log").open("w"))
        process = subprocess.Popen(bound_to_parent(command), stdout=log, stderr=log)
        self.callback(process.wait)
        self.callback(process.terminate)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := condition()):
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            time.sleep(0.1)
        return found

    # --- what people ask ------------------------------------------------------------------------------------------

    def newcomer(self, administrator: str) -> Iterator[Row]:
        """HR announces somebody; the administrator signs in and finds the task."""
        status, ready = self.ask("GET", "/readyz")
        assert status == 200, ready
        yield "GET /readyz", f"{status} {ready['status']}"
        key = (self.secrets / "hr_webhook_api_key").read_text()
        employee = {"name": "Ada Newcomer", "email": "ada.newcomer@example.com"}
        begun = time.monotonic()
        status, answer = self.ask(
            "POST", "/api/webhooks/hr/onboarding", {"employee": employee}, {"X-API-Key": key}
        )
        assert status == 202, answer
        yield "HR announces a joiner", f"{status} {answer['message']}"
        signing_in = {"email": administrator, "password": (self.secrets / "admin_password").read_text()}
        status, answer = self.ask("POST", "/api/auth/login", signing_in)
        assert status == 200, answer
        yield "the administrator signs in", f"{status}, by the password that setup was given"
        bearer = {"Authorization": f"Bearer {answer['accessToken']}"}
        [task] = self.until(lambda: self.ask("GET", "/api/inbox/tasks", headers=bearer)[1], "a task")
        yield "a worker makes the task", f"{task['title']!r}, after {time.monotonic() - begun:.1f} s"

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """As the proxy would: with the name people use, and what it says of them."""
        forwarded = {
            "Host": HOST,
            "X-Forwarded-Proto": "https",
            "X-Forwarded-For": "203.0.113.7",
            "X-Forwarded-Host": HOST,
        }
        connection = http.client.HTTPConnection("127.0.0.1", 8000, timeout=30)
        with contextlib.closing(connection):
            sent = {"Content-Type": "application/json", **forwarded, **(headers or {})}
            connection.request(method, path, json.dumps(body) if body else None, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def report(self) -> None:
        """What everybody said last, when the drill ends early."""
        for log in sorted(self.work.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}")
