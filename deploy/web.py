"""The web process: it keeps the listening socket, and gunicorn serves it. SIGHUP replaces gunicorn, and refuses nobody.

The new gunicorn gets the same socket, so that connections that wait to be accepted wait for both. (With a socket of its
own, by SO_REUSEPORT, whatever waits at the old one's is reset when that closes.) Only when the new one says that it is
ready, asked on a private socket that the old one can't answer on, is the old one asked to stop. One that does not get
ready is stopped instead, and nothing has changed.

    python deploy/web.py                 serve HOST and PORT until SIGTERM
    python deploy/web.py --fd 3          serve a socket that is given, as systemd does
    python deploy/web.py --replace PID   have that web process replace its gunicorn; 1 if the old one stays

The path of this file may lead through a link to the current release: a new gunicorn starts wherever it leads by then.
"""

import argparse
import http.client
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

ROOT = Path(__file__).parent.parent.absolute()
sys.path.insert(0, str(ROOT))

import config  # noqa: E402 - after the path
from app.foundation import listening, probing  # noqa: E402
from app.foundation.embedded.processes import bound_to_parent, wait_or_kill  # noqa: E402

GUNICORN = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()"]
READY_SECONDS = 60.0
# Longer than gunicorn's own grace, which is longer than the longest request.
LEAVE_SECONDS = 80.0
BIND_SECONDS = 90.0
POLL_SECONDS = 0.1
# Without a file, in the network of the machine (unix(7), abstract); who asks is known by SO_PEERCRED.
ADDRESS = "\0portalops-web-{}"
REPLACED, STAYED = b"0", b"1"


class Generation:
    """A gunicorn with its workers, and a private socket to ask it by."""

    def __init__(self, listener: socket.socket, folder: Path, number: int) -> None:
        self._path = str(folder / f"{number}.sock")
        with closing(socket.socket(socket.AF_UNIX)) as private:
            private.bind(self._path)
            private.listen()
            handed = (listener.fileno(), private.fileno())
            binds = [word for number in handed for word in ("--bind", f"fd://{number}")]
            self.process = subprocess.Popen(bound_to_parent([*GUNICORN, *binds]), cwd=ROOT, pass_fds=handed)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(5)
        try:
            connection.sock.connect(self._path)
        except OSError:
            connection.close()
            return False
        return probing.is_ready(connection)


class Web:
    """One generation serves; those that it replaced finish what they have."""

    def __init__(self, listener: socket.socket, folder: Path, *, is_ours: bool) -> None:
        self._listener, self._folder, self._count = listener, folder, 0
        self._is_ours = is_ours
        self._signals: SimpleQueue[tuple[int, socket.socket | None]] = SimpleQueue()
        self._leaving: list[tuple[Generation, float]] = []
        self._stopping = False
        self._waiting: list[socket.socket] = []
        for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda given, _frame: self._signals.put((given, None)))
        if sys.platform == "linux":
            threading.Thread(target=self._take_requests, daemon=True).start()

    def run(self) -> int:
        """Serve until SIGTERM or Ctrl-C, and return the exit code: gunicorn's, should it end by itself."""
        serving = self._start()
        while serving.is_alive() and not self._stopping:
            if self._heard() == signal.SIGHUP:
                serving = self._replace(serving)
            self._see_off()
        code = 0 if self._stopping else serving.process.returncode or 1
        if self._is_ours:
            listening.shut([self._listener])
        self._listener.close()
        for one in [serving, *(one for one, _ in self._leaving)]:
            one.process.terminate()
        for one in [serving, *(one for one, _ in self._leaving)]:
            wait_or_kill(one.process, LEAVE_SECONDS)
        return code

    def _start(self) -> Generation:
        self._count += 1
        return Generation(self._listener, self._folder, self._count)

    def _heard(self) -> int | None:
        try:
            number, line = self._signals.get(timeout=POLL_SECONDS)
        except Empty:
            return None
        if line:
            self._waiting.append(line)
        self._stopping = self._stopping or number != signal.SIGHUP
        return number

    def _replace(self, old: Generation) -> Generation:
        """The new generation if it gets ready, else the old one."""
        new, deadline = self._start(), time.monotonic() + READY_SECONDS
        while new.is_alive() and time.monotonic() < deadline and not self._stopping:
            if new.is_ready():
                say(f"process {new.process.pid} serves; {old.process.pid} finishes what it has")
                old.process.terminate()
                self._leaving.append((old, time.monotonic() + LEAVE_SECONDS))
                return new
            self._heard()
        new.process.terminate()
        wait_or_kill(new.process, LEAVE_SECONDS)
        say(f"process {new.process.pid} did not get ready: {old.process.pid} goes on serving")
        self._answer(STAYED)
        return old

    def _see_off(self) -> None:
        for one, deadline in list(self._leaving):
            if one.is_alive() and time.monotonic() > deadline:
                one.process.kill()
            if not one.is_alive():
                self._leaving.remove((one, deadline))
        if not self._leaving:
            self._answer(REPLACED)

    def _take_requests(self) -> None:
        """Of `--replace`: one that waits on a connection for what comes of it. From this user and from root alone."""
        with closing(socket.socket(socket.AF_UNIX)) as requests:
            requests.bind(ADDRESS.format(os.getpid()))
            requests.listen()
            while True:
                line, _ = requests.accept()
                _, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                if user in {0, os.geteuid()}:
                    self._signals.put((signal.SIGHUP, line))
                else:
                    line.close()

    def _answer(self, what: bytes) -> None:
        for line in self._waiting:
            with closing(line), suppress(OSError):
                line.sendall(what)
        self._waiting.clear()


def replace(pid: int) -> int:
    """Ask a web process for a new generation, and wait until the old one has gone (0) or it is clear that it stays (1).

    Asked on a socket, not by a signal: systemd hides processes of a service from each other, and has nobody wait for one.
    """
    with closing(socket.socket(socket.AF_UNIX)) as line:
        line.settimeout(READY_SECONDS + 2 * LEAVE_SECONDS)
        try:
            line.connect(ADDRESS.format(pid))
            answer = line.recv(1)
        except OSError as error:
            say(f"web process {pid} does not answer: {error.strerror or error}")
            return 1
    if answer != REPLACED:
        say("what served goes on serving; the log of the web process says why")
    return int(answer != REPLACED)


def listen(host: str, port: int) -> socket.socket:
    """The listening socket. Waits for one that a predecessor, killed, left to its workers."""
    deadline = time.monotonic() + BIND_SECONDS
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    while True:
        try:
            return socket.create_server(address[:2], family=family, backlog=2048)
        except OSError as error:
            if time.monotonic() > deadline:
                raise SystemExit(f"Can't listen on {host}, port {port}: {error.strerror}.") from None
            time.sleep(1)


def say(text: str) -> None:
    print(f"web: {text}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Serve the portal, and replace what serves it.")
    parser.add_argument("--fd", type=int, help="a listening socket that this process was given")
    parser.add_argument(
        "--replace", type=int, metavar="PID", help="have this web process replace its gunicorn"
    )
    given = parser.parse_args()
    if given.replace:
        return replace(given.replace)
    settings = config.load_or_exit()
    listener = socket.socket(fileno=given.fd) if given.fd else listen(settings.host, settings.port)
    with tempfile.TemporaryDirectory(prefix="portalops-web-") as folder:
        return Web(listener, Path(folder), is_ours=not given.fd).run()


if __name__ == "__main__":
    sys.exit(main())
