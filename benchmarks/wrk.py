"""Driving one address as fast as it answers, with wrk (https://github.com/wg/wrk)."""

import http.client
import shutil
import subprocess
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

LETTERS = "abcdefghij"
SCRIPT = Path(__file__).with_name("wrk.lua")


@dataclass(frozen=True)
class Target:
    """What is asked for. A `body` is POSTed as JSON; each NUMBER in it becomes the request's own."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Rate:
    """Answers a second; milliseconds. `refused` were not 2xx or 3xx, `broken` were no answers."""

    per_second: float
    p50: float
    p99: float
    refused: int
    broken: int


def require() -> None:
    """SystemExit without wrk."""
    if shutil.which("wrk") is None:
        raise SystemExit("These figures need wrk: apt-get install wrk, or see https://github.com/wg/wrk.")


def drive(target: Target, *, seconds: int, connections: int = 16) -> Rate:
    """Ask on this many connections at once, each waiting for its answer. One thread is enough for all of them.

    Returns when the server has done what wrk left behind: that must not stand before the next measurement.
    """
    body = target.body and target.body.replace("NUMBER", f"{moment()} NUMBER")
    headers = target.headers | ({"Content-Type": "application/json"} if target.body else {})
    words = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", str(SCRIPT)]
    command += [*words, target.url, "--", *([body] if body else [])]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _wait_until_idle(target.url)
    line = next(line for line in said.splitlines() if line.startswith("measured "))
    count, microseconds, p50, p99, refused, broken = (int(word) for word in line.split()[1:])
    return Rate(count / microseconds * 1e6, p50 / 1000, p99 / 1000, refused, broken)


def moment() -> str:
    """Another name each time, in letters: a long number might pass for a card's, which no text may hold."""
    return "".join(LETTERS[int(digit)] for digit in str(time.monotonic_ns()))


def _wait_until_idle(url: str) -> None:
    """Connections are accepted in their order, so an answer to this one says that those before it are done."""
    with closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)) as connection:
        connection.request("HEAD", "/health")
        connection.getresponse().read()
