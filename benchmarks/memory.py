"""Memory of the web workers over 100,000 requests, pages and both APIs mixed, on a few connections that are kept.

    python -m benchmarks.memory L --keep /tmp/portalops-benchmark

Exit status 1 if an answer was wrong, a worker has `RSS_MB` or more, or what it has to itself (USS) grew by more than
`GROWTH_MB` between the first tenth of the requests, when its caches are full, and the last.
"""

import argparse
import http.client
import sys
import tempfile
import threading
from pathlib import Path

import psutil

from benchmarks.data import SIZES
from benchmarks.servers import Servers, running
from tests.browsing import Browser

RSS_MB, GROWTH_MB = 180, 10
CONNECTIONS, STEPS = 4, 10
# After 50,000 requests a worker would make room for a fresh one.
NOBODY_IS_REPLACED = "--max-requests 0"
PAGES = (
    "/",
    "/inbox/?scope=all",
    "/services/list/",
    "/products/list/",
    "/people/list/",
    "/payments/list/",
    "/audit/",
)
CALLS = (
    "/api/auth/me",
    "/api/users?page=7",
    "/api/services?page=3&limit=20",
    "/api/payment-register?page=5&limit=20",
    "/api/v1/products/?q=(page:4,page_size:25)",
    "/api/v1/tasks/?q=(page_size:25)",
    "/api/audit-logs?page=9",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--keep", type=Path, help="a folder for the data set, to be used again")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="portalops-memory-") as folder,
        running(given.keep or Path(folder), gunicorn=NOBODY_IS_REPLACED) as servers,
    ):
        servers.start_portal(given.size)
        return measure(servers, given.requests)


def measure(servers: Servers, requests: int) -> int:
    """A line after each tenth of the requests."""
    browser = Browser(servers.address("portal"))
    browser.sign_in("root")
    cookie = "; ".join(f"{one.name}={one.value}" for one in browser.cookies)
    bearer = f"Bearer {servers.portal.token_of('root')}"
    asked: list[tuple[str, dict[str, str]]] = []
    for page, call in zip(PAGES, CALLS, strict=True):
        asked += [(page, {"Cookie": cookie, "Accept": "text/html"}), (call, {"Authorization": bearer})]
    workers = psutil.Process(servers.portal.running["web"].pid).children()
    print("| requests | wrong | RSS, MB | USS, MB |\n|---|---|---|---|")
    wrong, own, resident = 0, [], []
    for step in range(1, STEPS + 1):
        wrong += ask(servers.portal.port, asked, requests // STEPS)
        used = [worker.memory_full_info() for worker in workers]
        own.append([round(each.uss / 1e6) for each in used])
        resident = [round(each.rss / 1e6) for each in used]
        print(f"| {requests // STEPS * step:,} | {wrong} | {resident} | {own[-1]} |", flush=True)
    grown = max(last - first for first, last in zip(own[0], own[-1], strict=True))
    sound = not wrong and grown <= GROWTH_MB and max(resident) < RSS_MB
    print(
        f"grew by {grown} MB (at most {GROWTH_MB}), {max(resident)} MB (< {RSS_MB}): {'met' if sound else 'MISSED'}"
    )
    return int(not sound)


def ask(port: int, asked: list[tuple[str, dict[str, str]]], count: int) -> int:
    """Send so many requests; says how many were not answered with 200."""
    wrong = []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in range(count // CONNECTIONS):
            path, headers = asked[number % len(asked)]
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != http.HTTPStatus.OK:
                    wrong.append(path)
            except (OSError, http.client.HTTPException):
                wrong.append(path)
                connection.close()
        connection.close()

    clients = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    return len(wrong)


if __name__ == "__main__":
    sys.exit(main())
