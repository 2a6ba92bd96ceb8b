"""Both APIs and the generated pages beside a bare Flask endpoint and stock Flask-AppBuilder, in one run. See README.md."""

import argparse
import re
import statistics
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from app import create_app
from benchmarks import cases, servers, wrk
from benchmarks.cases import Case
from benchmarks.data import SIZES
from benchmarks.inside import Inside
from benchmarks.servers import Servers
from benchmarks.stock.client import StockClient
from config import load

MOST_STATEMENTS, MOST_GROWTH, MOST_CPU_MS, MOST_TOKEN_MS = 6, 1.3, 40, 1
ROUNDS = 3
"""Each right after what it is compared with, so that a moment in which the machine is slower spoils one of them at most."""


@dataclass
class Figures:
    """Of one data set: pings a second, and by case what was measured in the median round."""

    size: str
    pings: list[float] = field(default_factory=list)
    rates: dict[str, wrk.Rate] = field(default_factory=dict)
    statements: dict[str, int] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=[*SIZES, "both"])
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose name it fits")
    parser.add_argument("--seconds", type=int, default=2, help="of each round")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the data sets there, and use them again"
    )
    given = parser.parse_args()
    wrk.require()
    temporary = tempfile.TemporaryDirectory(prefix="portalops-benchmark-")
    with (
        nullcontext(given.keep) if given.keep else temporary as folder,
        servers.running(Path(folder)) as found,
    ):
        found.start_stock()
        sizes = SIZES if given.size == "both" else [given.size]
        measured = [Run(found, size, given.only, given.seconds).figures() for size in sizes]
    unmet = [fault for figures in measured for fault in judge(figures)]
    if len(measured) == 2:
        unmet += growth(*measured)
    print("\nevery aim is met" if not unmet else "\nnot met:\n  " + "\n  ".join(unmet))
    return int(bool(unmet))


class Run:
    """The measurements at one data set, one after the other."""

    def __init__(self, found: Servers, size: str, only: str, seconds: int) -> None:
        self.servers, self.seconds = found, seconds
        self.only = re.compile(only)
        self.size = SIZES[size]
        found.start_portal(size)
        self.stock = StockClient(found.address("stock"))
        self.ping = wrk.Target(f"{found.address('ping')}/ping")
        self.inside = Inside(create_app(load()))
        self.measured = Figures(size)

    def figures(self) -> Figures:
        wanted = [case for case in self._cases() if self.only.search(case.name)]
        for case in wanted:
            self._measure(case)
        self._token()
        self.inside.close()
        show(self.measured, wanted)
        return self.measured

    def _cases(self) -> list[Case]:
        return [*cases.published(self.size), *cases.generated(self.size)]

    def _measure(self, case: Case) -> None:
        answer = self.inside.ask(case)
        if answer.status_code == 404 and "register" in case.name:
            self.measured.notes.append(f"{case.name}: there is no such endpoint yet")
            return
        if answer.status_code not in {200, 201}:
            raise SystemExit(f"{case.name}: {answer.status_code} {answer.get_data(as_text=True)[:500]}")
        statements = self.inside.statements(case)
        self.measured.statements[case.name] = len(statements)
        self.measured.processor[case.name] = self.inside.processor_ms(case)
        self._drive(case)
        if case.name == "register, whole":
            self._note_register(case.name, statements)

    def _drive(self, case: Case) -> None:
        """A second of each first, which fills what each process keeps."""
        target = wrk.Target(self.servers.address("portal") + case.path, self.inside.headers(case), case.body)
        reference = self.stock.target(case.stock) if case.stock else self.ping
        for one in (reference, target):
            wrk.drive(one, seconds=1)
        rounds = [
            (self._reference(reference), wrk.drive(target, seconds=self.seconds)) for _ in range(ROUNDS)
        ]
        if not case.stock:
            self.measured.pings += [rate for rate, _ in rounds]
        self.measured.ratios[case.name] = statistics.median(rate.per_second / other for other, rate in rounds)
        self.measured.rates[case.name] = sorted(
            (rate for _, rate in rounds), key=lambda rate: rate.per_second
        )[ROUNDS // 2]

    def _reference(self, target: wrk.Target) -> float:
        rate = wrk.drive(target, seconds=self.seconds)
        if rate.refused or not rate.per_second:
            raise SystemExit(f"{target.url}: {rate}")
        return rate.per_second

    def _note_register(self, name: str, statements: list[str]) -> None:
        milliseconds = self.measured.processor[name]
        reading = sum("payment_infos" in statement for statement in statements)
        self.measured.notes.append(
            f"{name}: {milliseconds:.1f} ms of CPU (M < {MOST_CPU_MS}), {reading} statement reads it (1)"
        )

    def _token(self) -> None:
        milliseconds, statements = self.inside.token_check()
        self.measured.notes.append(
            f"personal token: {milliseconds:.2f} ms and {statements} statements to check (< {MOST_TOKEN_MS} ms)"
        )


def faults_of(figures: Figures, case: Case) -> list[str]:
    """Which aims a case misses."""
    rate, statements = figures.rates[case.name], figures.statements[case.name]
    found = []
    if rate.refused or rate.broken or not rate.per_second:
        found.append(
            f"{rate.refused} refused and {rate.broken} broken answers, {rate.per_second:.1f} a second"
        )
    if case.aim and figures.ratios[case.name] < case.aim:
        found.append(
            f"{figures.ratios[case.name]:.2f} of {'stock' if case.stock else 'ping'}, not {case.aim}"
        )
    if case.limits_statements and statements > MOST_STATEMENTS:
        found.append(f"{statements} statements")
    return found


def judge(figures: Figures) -> list[str]:
    """The cases of this data set that miss an aim, and how."""
    known = [*cases.published(SIZES[figures.size]), *cases.generated(SIZES[figures.size])]
    return [
        f"{figures.size}: {case.name}: {fault}"
        for case in known
        if case.name in figures.rates
        for fault in faults_of(figures, case)
    ]


def growth(at_m: Figures, at_l: Figures) -> list[str]:
    """The cases that cost more at L than at M: time only whole tables may, statements none."""
    print(f"\n{'':<36}{'p50 L/M':>9}{'statements M/L':>16}")
    found = []
    for case in [*cases.published(SIZES["L"]), *cases.generated(SIZES["L"])]:
        if case.name not in at_l.rates or case.name not in at_m.rates:
            continue
        grown = at_l.rates[case.name].p50 / (at_m.rates[case.name].p50 or 1e-9)
        few, many = at_m.statements[case.name], at_l.statements[case.name]
        bad = few != many or (grown > MOST_GROWTH and not case.may_grow)
        print(f"{case.name:<36}{grown:>9.2f}{f'{few} / {many}':>16}{'  no' if bad else ''}")
        if bad:
            found.append(f"L against M: {case.name}: p50 x {grown:.2f}, statements {few} / {many}")
    return found


def show(figures: Figures, wanted: list[Case]) -> None:
    slowest, fastest = min(figures.pings, default=0), max(figures.pings, default=0)
    ping = statistics.median(figures.pings or [0])
    print(
        f"\n{figures.size}: ping {ping:.0f}/s ({slowest:.0f} to {fastest:.0f} of {len(figures.pings)} rounds)"
    )
    print(
        f"{'':<36}{'per s':>8}{'p50 ms':>8}{'p99 ms':>8}{'ratio':>7}{'aim':>6}{'CPU ms':>8}{'statements':>12}  met"
    )
    for case in wanted:
        if case.name not in figures.rates:
            continue
        rate = figures.rates[case.name]
        print(
            f"{case.name:<36}{rate.per_second:>8.0f}{rate.p50:>8.1f}{rate.p99:>8.1f}{figures.ratios[case.name]:>7.2f}"
            f"{case.aim or '':>6}{figures.processor[case.name]:>8.1f}{figures.statements[case.name]:>12}  {'; '.join(faults_of(figures, case)) or 'yes'}"
        )
    for note in figures.notes:
        print(note)


if __name__ == "__main__":
    sys.exit(main())
