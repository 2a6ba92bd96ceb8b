"""Wrong passwords on 8 connections: what is left for everybody else, on the product's own gunicorn settings.

From one address the throttle refuses most of them before a password is looked at. From an address each, as a botnet
has them, nothing is refused and every attempt is hashed. See README.md.
"""

import argparse
import http.client
import json
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from itertools import count
from pathlib import Path

from app import create_app
from app.directory.operations.throttle import MOST_OF_ADDRESS
from benchmarks import servers, wrk
from benchmarks.cases import Case
from benchmarks.inside import Inside
from config import load
from tests.runtime.processes import wait_until

ME = Case("auth/me", "/api/auth/me")
LEAST_KEPT = 0.5


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--connections", type=int, default=8, help="of the flood, and as many of the others")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="the folder of benchmarks.api")
    given = parser.parse_args()
    wrk.require()
    temporary = tempfile.TemporaryDirectory(prefix="portalops-benchmark-")
    with (
        nullcontext(given.keep) if given.keep else temporary as folder,
        servers.running(Path(folder), gunicorn="") as found,
    ):
        return compare(found, given.seconds, given.connections)


def compare(found: servers.Servers, seconds: int, connections: int) -> int:
    """Alone, under each flood, and alone again: the machine must not have changed meanwhile."""
    found.start_portal("M")
    inside = Inside(create_app(load()))
    me = wrk.Target(found.address("portal") + ME.path, inside.headers(ME))

    def others() -> wrk.Rate:
        return wrk.drive(me, seconds=seconds, connections=connections)

    others()
    before = show("alone", others())
    flooded = []
    for name, address_of in {"one address": one_address, "an address each": address_each}.items():
        with flood(found.portal.port, connections, address_of) as answers:
            # More than one address may try in a while: from here on the throttle does what it can.
            wait_until(lambda answers=answers: answers.total() > MOST_OF_ADDRESS, timeout=120)
            flooded.append(show(f"flood from {name}", others()))
        print(f"{'':<28}its answers by status: {dict(answers)}")
    after = show("alone again", others())
    inside.close()
    kept = min(flooded) / min(before, after)
    print(f"the others keep {kept:.2f} of their rate (at least {LEAST_KEPT})")
    return int(kept < LEAST_KEPT)


@contextmanager
def flood(port: int, connections: int, address_of: Callable[[int], str]) -> Iterator[Counter[int]]:
    """Wrong passwords for an account each, as fast as they are answered, until the block is left.

    What it gives counts answers by status; 0 is none.
    """
    numbers, stopped, answers = count(1), threading.Event(), Counter[int]()

    def attack() -> None:
        while not stopped.is_set():
            number = next(numbers)
            answers[attempt(port, number, address_of(number))] += 1

    threads = [threading.Thread(target=attack) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def attempt(port: int, number: int, address: str) -> int:
    """The status of the answer to one wrong password. Each second account exists."""
    email = f"person.{number}@example.com" if number % 2 else f"nobody.{number}@example.com"
    body = json.dumps({"email": email, "password": f"wrong password {number}"})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    with suppress(OSError, http.client.HTTPException):
        connection.request("POST", "/api/auth/login", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status
    connection.close()
    return 0


def one_address(_number: int) -> str:
    return "127.0.0.2"


def address_each(number: int) -> str:
    return f"127.{1 + number // 62_500 % 200}.{number // 250 % 250}.{1 + number % 250}"


def show(name: str, rate: wrk.Rate) -> float:
    """Print a line; returns answers a second."""
    print(
        f"{name:<28}{rate.per_second:>8.0f} a second, p50 {rate.p50:.1f} ms, p99 {rate.p99:.1f} ms"
        f"{f', {rate.refused} refused, {rate.broken} broken' if rate.refused or rate.broken else ''}",
        flush=True,
    )
    return rate.per_second


if __name__ == "__main__":
    sys.exit(main())
