"""What `./start.sh` runs: the whole portal in the foreground, from an empty folder to a URL.

PostgreSQL and Redis (unless URLs are given), then the migrations, then web, worker and scheduler. Ctrl-C or SIGTERM
stops everything in the reverse order. Exit codes: 0 stopped when asked, 1 can't run, 2 bad settings.
"""

import argparse
import fcntl
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import config
from app.foundation import probing
from app.foundation.embedded.location import EmbeddedError, private_directory
from app.foundation.embedded.postgres import Postgres
from app.foundation.embedded.redis import Redis
from app.foundation.secret_files import secret_file
from app.foundation.supervision.child import Program
from app.foundation.supervision.supervisor import Supervisor

_FLASK = (sys.executable, "-m", "flask", "--app", "app")
_GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "app:create_app()")
_ENGINE_SECONDS = 60
_HEALTHY_SECONDS = 60
# Longer than jobs take, so that a worker that is asked to stop finishes what it does. A long one (outbox.LONG) that is cut
# off has done nothing, and is done again.
_WORKER_GRACE_SECONDS = 90
# Longer than gunicorn grants to the longest request.
_WEB_GRACE_SECONDS = 80


class StartError(Exception):
    """The portal can't run here and now; the message is for people."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="./start.sh", description="Run PortalOps in the foreground.")
    parser.add_argument("--demo", action="store_true", help="fill the portal with a demo company")
    demo = parser.parse_args(arguments).demo
    try:
        settings = config.load()
        with _claimed(settings):
            _run(settings, demo=demo)
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except (StartError, EmbeddedError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _claimed(settings: config.Settings) -> Iterator[None]:
    """The data directory for ourselves, and a port to listen on."""
    with (private_directory(settings.data_dir) / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"PortalOps is already running on {settings.data_dir}.") from None
        _check_port(settings.host, settings.port)
        yield


def _check_port(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise StartError(
            f"Can't listen on {host}, port {port} ({error.strerror}): set another HOST or PORT."
        ) from None


def _run(settings: config.Settings, *, demo: bool) -> None:
    with Supervisor(config.ROOT) as supervisor:
        _start_engines(settings, supervisor)
        setup = Program("setup", [*_FLASK, "setup", *(["--demo"] if demo else [])])
        if supervisor.complete(setup) != 0:
            raise StartError("The database could not be set up; the lines above say why.")
        supervisor.start(*_workers(settings.worker_count))
        supervisor.start(
            Program("web", _GUNICORN, grace=_WEB_GRACE_SECONDS),
            Program("scheduler", [*_FLASK, "scheduler"], grace=10),
        )
        if supervisor.until(partial(_healthy, settings), _HEALTHY_SECONDS):
            supervisor.announce(_welcome(settings))
        else:
            supervisor.say(f"{settings.public_url}/readyz is not well yet; the lines above may say why")
        supervisor.until(lambda: False)


def _start_engines(settings: config.Settings, supervisor: Supervisor) -> None:
    postgres = Postgres(settings.data_dir) if settings.embedded_database else None
    redis = Redis(settings.data_dir) if settings.embedded_redis else None
    engines = [engine for engine in (postgres, redis) if engine]
    for engine in engines:
        engine.prepare()
    supervisor.start(
        *(Program(each.name, each.command(), each.stop_signal, grace=60, hurries=False) for each in engines)
    )
    for engine in engines:
        if not supervisor.until(engine.answers, _ENGINE_SECONDS):
            raise StartError(
                f"{engine.name} does not answer; the lines above or {engine.folder} may say why."
            )
    if postgres:
        postgres.create_database()


def _workers(count: int) -> Iterator[Program]:
    """As many as asked for what people wait for; one for what goes to other systems, and one for what takes minutes."""
    for number in range(1, count + 1):
        name = f"worker.{number}" if count > 1 else "worker"
        yield Program(name, [*_FLASK, "worker", "--queue", "default"], grace=_WORKER_GRACE_SECONDS)
    for queue in ("messages", "long"):
        yield Program(f"worker.{queue}", [*_FLASK, "worker", "--queue", queue], grace=_WORKER_GRACE_SECONDS)


def _healthy(settings: config.Settings) -> bool:
    """Whether the portal can serve; probes are answered by whatever name they ask for."""
    return probing.is_ready(probing.connection_to(settings.host, settings.port, 2))


def _welcome(settings: config.Settings) -> str:
    """Where the portal is; on the first start, also the secrets that it made for itself and people need."""
    lines = [
        f"{settings.project_name} is ready: {settings.public_url}",
        f"  Sign in as: {settings.admin_email}",
    ]
    shown = secret_file(settings.data_dir, "shown")
    if not shown.exists():
        if settings.is_generated("admin_password"):
            lines.append(f"  Password: {settings.admin_password}")
        if settings.is_generated("hr_webhook_api_key"):
            lines.append(f"  HR webhook key (X-API-Key): {settings.hr_webhook_api_key[0]}")
        lines.append(f"  Shown this once; kept in {shown.parent}")
        private_directory(shown.parent)
        shown.touch()
    return "\n".join(["", *lines, ""])


if __name__ == "__main__":
    sys.exit(main())
