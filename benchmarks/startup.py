"""How long the web process needs until it can answer, and that it asks the database nothing on the way.

Exit status 1 if a start took `READY_SECONDS` or more, from its command to a database, tables and disk found in order.
"""

import http.client
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.deployment import Deployment, throwaway
from tests.runtime.processes import wait_until

ROUNDS, READY_SECONDS = 7, 3.0
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


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="portalops-benchmark-") as folder:
        create_app(Path(folder))
    return int(whole_portal() >= READY_SECONDS)


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


def whole_portal() -> float:
    """Gunicorn with its workers until /readyz answers; seconds of the slowest start."""
    with throwaway() as portal:
        portal.open()
        seconds = []
        for _ in range(ROUNDS):
            begun = time.monotonic()
            portal.start("web", wait=False)
            wait_until(lambda: ready(portal))
            seconds.append(time.monotonic() - begun)
            portal.stop("web")
    print(f"gunicorn until /readyz is 200: {spread(seconds)} (aim: < {READY_SECONDS:g} s)")
    return max(seconds)


def ready(portal: Deployment) -> bool:
    try:
        return portal.get("/readyz", timeout=2).status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False


def spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s of {len(seconds)}"


if __name__ == "__main__":
    sys.exit(main())
