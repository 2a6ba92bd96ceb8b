"""100 people for 10 minutes against two web workers, a worker and a scheduler, on data set M or L.

    python -m benchmarks.load L --people 100 --minutes 10
    python -m benchmarks.load L --compare HEAD~5 --keep /tmp/portalops-benchmark   # both, side by side

The people are locust's (`locustfile.py`), in a process of their own. Exit status 1 if an answer was wrong, or p99 or
memory is over its aim.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.data import SIZES
from benchmarks.servers import Servers, running
from tests import cast
from tests.deployment import HR_KEY
from tests.runtime.processes import ROOT, wait_until

P99_MS, RSS_MB = 300, 180
DEFAULT_GUNICORN = ""  # the product's own settings
COLUMNS = {"count": "Request Count", "failed": "Failure Count", "p50": "50%", "p95": "95%", "p99": "99%"}


@dataclass(frozen=True)
class Outcome:
    """One run: a row of figures (milliseconds) by route, and the web workers' memory at begin and end (MB)."""

    rows: dict[str, dict[str, int]]
    began: list[int]
    ended: list[int]
    failures: list[str]

    @property
    def sound(self) -> bool:
        whole = self.rows["Aggregated"]
        return whole["failed"] == 0 and whole["p99"] < P99_MS and max(self.ended) < RSS_MB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--compare", metavar="COMMIT", help="run the same against another version, too")
    parser.add_argument("--keep", type=Path, help="a folder for the data sets, to be used again")
    given = parser.parse_args()
    outcomes = {}
    with _folder(given.keep) as folder:
        if given.compare:
            with _version(given.compare) as code:
                outcomes[given.compare] = drive(folder / "other", given, code)
        outcomes["this version"] = drive(folder, given, ROOT)
    show(outcomes)
    return int(not outcomes["this version"].sound)


def drive(folder: Path, given: argparse.Namespace, code: Path) -> Outcome:
    """Start everything, let the people work, and read what locust wrote down."""
    with running(folder, DEFAULT_GUNICORN) as servers:
        # As behind a proxy, whose idle connections are kept longer than people think.
        servers.portal.env |= {"WEB_WORKERS": "2", "PROXY_COUNT": "1"}
        servers.portal.code = code
        servers.start_portal(given.size)
        servers.portal.start("worker", "scheduler")
        wait_until(lambda: len(memory(servers)) == 2)
        began = memory(servers)
        rows, failures = people(servers, given)
        return Outcome(rows, began, memory(servers), failures)


def people(servers: Servers, given: argparse.Namespace) -> tuple[dict[str, dict[str, int]], list[str]]:
    """The figures by route, and what was wrong with which answers."""
    size, prefix = SIZES[given.size], servers.portal.folder / "locust"
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(ROOT / "locustfile.py"),
        "--headless",
        "--only-summary",
    ]
    command += ["--host", servers.address("portal"), "--users", str(given.people), "--spawn-rate", "1"]
    command += [
        "--run-time",
        f"{round(given.minutes * 60)}s",
        "--csv",
        str(prefix),
        "--exit-code-on-error",
        "0",
    ]
    told = {"LOAD_HR_KEY": HR_KEY, "LOAD_PASSWORD": cast.PASSWORD}
    told |= {"LOAD_PRODUCTS": str(size.products), "LOAD_PEOPLE": str(size.people)}
    subprocess.run(command, cwd=ROOT, env=os.environ | told, check=True, capture_output=True)
    rows = {
        f"{row['Type']} {row['Name']}".strip(): {
            short: round(float(row[long])) for short, long in COLUMNS.items()
        }
        for row in _table(f"{prefix}_stats.csv")
    }
    failures = [
        f"{row['Occurrences']} x {row['Name']}: {row['Error']}" for row in _table(f"{prefix}_failures.csv")
    ]
    return rows, failures


def memory(servers: Servers) -> list[int]:
    """Resident MB of each web worker, what they share with each other counted in each."""
    children = psutil.Process(servers.portal.running["web"].pid).children(recursive=True)
    return [round(child.memory_info().rss / 1e6) for child in children]


def show(outcomes: dict[str, Outcome]) -> None:
    """A line a route; two versions stand beside each other."""
    print("| route |" + "".join(f" {name}: n, failed | p50 | p95 | p99 ms |" for name in outcomes))
    print("|---|" + "---|" * 4 * len(outcomes))
    for route in sorted({route for outcome in outcomes.values() for route in outcome.rows}):
        cells = []
        for outcome in outcomes.values():
            row = outcome.rows.get(route)
            cells += (
                [f"{row['count']}, {row['failed']}", row["p50"], row["p95"], row["p99"]] if row else [""] * 4
            )
        print(f"| {route} | " + " | ".join(map(str, cells)) + " |")
    for name, outcome in outcomes.items():
        print(f"{name}: MB of each web worker {outcome.began} at the begin, {outcome.ended} at the end")
        print(*outcome.failures, sep="\n")
        print(f"aims: no failure, p99 < {P99_MS} ms, < {RSS_MB} MB: {'met' if outcome.sound else 'MISSED'}")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix="portalops-load-") as folder:
        yield Path(folder)


@contextmanager
def _version(commit: str) -> Iterator[Path]:
    """The files of another commit, with this environment."""
    with tempfile.TemporaryDirectory(prefix="portalops-version-") as folder:
        code = Path(folder) / "code"
        subprocess.run(
            ["git", "worktree", "add", "--detach", code, commit], cwd=ROOT, check=True, capture_output=True
        )
        try:
            (code / ".venv").symlink_to(ROOT / ".venv")
            yield code
        finally:
            with suppress(subprocess.CalledProcessError):
                subprocess.run(["git", "worktree", "remove", "--force", code], cwd=ROOT, check=True)


def _table(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main())
