"""How long the web process needs until it can answer, and that it asks the database nothing on the way."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.deployment import Deployment

ROUNDS = 7
# Every statement of every engine is counted, and there is no server that could answer one.
CREATE = """
import time
begun = time.perf_counter()
from sqlalchemy import event
from sqlalchemy.engine import Engine
seen = []
event.listen(Engine, "before_cursor_execute", lambda *_: seen.append(_))
event.listen(Engine, "do_connect", lambda *_: seen.append(_))
from app import create_app
create_app()
print(time.perf_counter() - begun, len(seen))
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="portalops-benchmark-") as folder:
        create_app(Path(folder))
        whole_portal(Path(folder) / "portal")


def create_app(folder: Path) -> None:
    """A fresh interpreter each time, import included."""
    portal = Deployment(folder)
    command = [sys.executable, "-c", CREATE]
    rounds = [
        subprocess.run(command, env=portal.env, capture_output=True, text=True, check=True).stdout.split()
        for _ in range(ROUNDS)
    ]
    print(f"create_app, imports included: {spread([float(took) for took, _ in rounds])}")
    print(f"statements and connections: {sum(int(seen) for _, seen in rounds)}")


def whole_portal(folder: Path) -> None:
    """Gunicorn with its workers until /health says healthy."""
    portal = Deployment(folder)
    try:
        portal.start("postgres", "redis")
        portal.postgres.create_database()
        portal.run("setup")
        seconds = []
        for _ in range(ROUNDS):
            begun = time.monotonic()
            portal.start("web")
            seconds.append(time.monotonic() - begun)
            portal.stop("web")
        print(f"gunicorn until /health is 200: {spread(seconds)}")
    finally:
        for name in reversed(list(portal.running)):
            portal.kill(name)


def spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds)}"


if __name__ == "__main__":
    main()
