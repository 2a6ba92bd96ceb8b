"""The systemd units for real: a Debian whose first process is systemd, set up by the commands of docs/operations/systemd.md.

The commands are read from the page and run as they stand there, the addresses of PostgreSQL and Redis aside. Then a joiner is
announced, processes are killed, and what serves is reloaded, replaced by a new release and restarted under load.

    sudo .venv/bin/python -m drills.systemd_run

`--base FOLDER` keeps the clean Debian there for the next time. Linux, root, debootstrap; a few minutes.
"""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from drills import apart, image_build
from drills.apart import Row
from drills.beside import Beside
from drills.image_build import PATH, REPOSITORY, lend
from drills.rooted import Root, leave_network
from tests.docs.blocks import SHELLS, every_block
from tests.load import Load

PAGE, ADMINISTRATOR = "docs/operations/systemd.md", "jo@example.com"
SERVICES = ("web", "worker@default", "worker@messages", "worker@long", "scheduler")
UNITS = ("portalops.target", "portalops-web.socket", *(f"portalops-{name}.service" for name in SERVICES))
# Answered by whatever name and without TLS; the proxy of a real machine asks for them too.
PATHS = ("/livez", "/health", "/readyz")
SOURCE = "/root/portalops"


def prove(work: Path, below: Path) -> list[Row]:
    """Every row of the table; the first thing that is not so ends the drill with an error."""
    image_build.base(below, apart.mirror())
    root = Root(work, "machine", below)
    # Packages that lie on this machine's disk would cover /opt, where the page puts the portal.
    pip = {name: said for name, said in apart.pip_settings().items() if not any(map(is_folder, said.split()))}
    lend(root, pip)
    with Machine(work, root, pip) as machine:
        try:
            return [*machine.set_up(), *machine.newcomer(ADMINISTRATOR), *machine.live()]
        except BaseException:
            machine.report()
            raise


def is_folder(word: str) -> bool:
    return Path(word.removeprefix("file://")).is_dir()


class Machine(Beside):
    """A root with a systemd as its first process."""

    def __init__(self, work: Path, root: Root, pip: Mapping[str, str]) -> None:
        super().__init__(work)
        self.root, self.pip = root, pip
        self.first: psutil.Process | None = None
        self.page = [one for one in every_block() if one.page == PAGE]

    def set_up(self) -> Iterator[Row]:
        self._bring("systemd", "openssl")
        self._copy_source()
        self.make_secrets()
        self._say(self._block("useradd"), self.pip)
        leave_network()
        self.engines()
        self._boot()
        yield "systemd", self._say("systemctl --version").splitlines()[0]
        self._say(self._block("openssl rand -hex 32"))
        self._write_settings()
        begun = time.monotonic()
        said = self._say(self._block("systemctl enable --now"))
        password = said.partition("ADMIN_PASSWORD=")[2].splitlines()[0]
        (self.secrets / "admin_password").write_text(password)
        key = self.root.path / "etc/portalops/secrets/hr_webhook_api_key"
        (self.secrets / "hr_webhook_api_key").write_text(key.read_text().strip())
        self._all_active()
        yield "the page's commands", f"every unit active after {time.monotonic() - begun:.1f} s"

    def live(self) -> Iterator[Row]:
        """What a machine goes through."""
        for name in SERVICES:
            yield from self._killed(name)
        yield from self._under_load("systemctl reload portalops-web", "systemctl reload portalops-web")
        self._say("cp -a /opt/portalops/releases/1 /opt/portalops/releases/2")
        yield from self._under_load("a new release, by the page", self._block("releases/2"))
        self._all_active()
        place = self._say("readlink /proc/$(systemctl show -P MainPID portalops-scheduler)/cwd").strip()
        assert place == "/opt/portalops/releases/2", place
        yield from self._under_load("systemctl restart portalops-web", "systemctl restart portalops-web")
        begun = time.monotonic()
        self._say("systemctl stop portalops.target")
        self.until(lambda: {self._state(unit) for unit in UNITS} == {"inactive"}, "the end of all units", 120)
        yield "systemctl stop portalops.target", f"all ended well within {time.monotonic() - begun:.1f} s"

    # --- the machine ----------------------------------------------------------------------------------------------

    def _bring(self, *packages: str) -> None:
        script = f"apt-get update -qq; apt-get install -y -qq --no-install-recommends {shlex.join(packages)}"
        self.root.run(
            f"set -e; ({script}) >/dev/null 2>&1", {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive"}, "/"
        )

    def _copy_source(self) -> None:
        """What is under version control, as a checkout would have it."""
        place = self.root.path / SOURCE.lstrip("/")
        place.mkdir(parents=True)
        packed = (
            "git ls-files -z | tar --create --null --files-from=- | tar --extract --no-same-owner --directory"
        )
        subprocess.run(f"{packed} {shlex.quote(str(place))}", shell=True, cwd=REPOSITORY, check=True)

    def _boot(self) -> None:
        log = self.enter_context((self.work / "systemd.log").open("w"))
        spaces = ["--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"]
        # systemd gives each service mounts of its own, so its root has to be the root, not a folder of another one.
        steps = [
            'cd "$0" && mkdir -p old dev/pts && mount -t proc proc proc && mknod -m 666 dev/tty c 5 0',
            "mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts && ln -s pts/ptmx dev/ptmx",
            "pivot_root . old && umount --lazy /old && mount --make-rshared /",
            "exec /lib/systemd/systemd --unit=multi-user.target",
        ]
        process = subprocess.Popen(
            ["unshare", *spaces, "sh", "-c", " && ".join(steps), self.root.path],
            env={"PATH": PATH, "container": "portalops"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        self.callback(process.wait)
        self.callback(process.kill)
        [self.first] = self.until(lambda: psutil.Process(process.pid).children(), "systemd")
        self.until(lambda: self._state("multi-user.target") == "active", "the machine", 120)

    def _write_settings(self) -> None:
        folder = self.root.path / "etc/portalops"
        [settings] = [one.text for one in self.page if one.language == "ini"]
        (folder / "portalops.env").write_text(settings)
        for name, beside in (("database_url", "@postgres:"), ("redis_url", "@redis:")):
            url = (self.secrets / name).read_text().strip()
            (folder / "secrets" / name).write_text(url.replace(beside, "@127.0.0.1:"))

    # --- what it is told ------------------------------------------------------------------------------------------

    def _block(self, part: str) -> str:
        """The commands of the page that have this in them."""
        [text] = [one.text for one in self.page if one.language in SHELLS and part in one.text]
        return f"set -e\n{text}"

    def _say(self, script: str, env: Mapping[str, str] | None = None) -> str:
        """What the machine answers to a script of root's; an error that has its words if it fails."""
        enter = ["chroot", str(self.root.path)]
        if self.first:
            enter = ["nsenter", f"--target={self.first.pid}", "--all", "--root", "--wd"]
        done = subprocess.run(
            [*enter, "sh", "-c", f"cd {SOURCE}\n{script}"],
            env={"PATH": PATH, "HOME": "/root", **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _state(self, unit: str) -> str:
        return self._say(f"systemctl is-active '{unit}' || true").strip()

    def _all_active(self) -> None:
        states = {unit: self._state(unit) for unit in UNITS}
        assert set(states.values()) == {"active"}, states

    def _killed(self, name: str) -> Iterator[Row]:
        """As an out-of-memory killer would."""
        asked = f"systemctl show -P MainPID portalops-{name}"
        before, begun = self._say(asked), time.monotonic()
        self._say(f"kill -9 {before}")
        self.until(
            lambda: self._say(asked) not in {before, "0\n"} and self._state(f"portalops-{name}") == "active",
            name,
        )
        yield f"{name}, kill -9", f"active again after {time.monotonic() - begun:.1f} s"

    def _under_load(self, what: str, script: str) -> Iterator[Row]:
        begun = time.monotonic()
        with Load(8000, PATHS).on() as load:
            self._say(script)
        assert load.failed == {}, load.failed
        took = f"{time.monotonic() - begun:.1f} s, the slowest answer {load.slowest:.1f} s"
        yield what, f"0 of {sum(load.outcomes.values()):,} requests failed; {took}"

    def report(self) -> None:
        super().report()
        if self.first:
            print(
                self._say(
                    "systemctl list-units --all 'portalops*'; journalctl --no-pager -n 200 -u 'portalops*' || true"
                )
            )


if __name__ == "__main__":
    assert Path.cwd() == REPOSITORY, "start it in the repository"
    sys.exit(apart.run("drills.systemd_run", __doc__.splitlines()[0], prove))
