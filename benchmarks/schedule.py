"""Ten years of a schedule in five time zones, with downtime and a clock that jumps: no slot missed, none doubled.

Time is simulated; what decides is the portal's own `tick()` on a real PostgreSQL with its `UNIQUE(job, slot)`. Every
fourth time two schedulers tick. `--quick` keeps what was promised in a set instead, which takes a minute of processor
for ten years. `--seed` repeats a run. See README.md.
"""

import argparse
import random
import sys
import tempfile
import time as real
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select

from app import create_app
from app.foundation import clock, outbox, ticking
from app.foundation.cadences import Daily, Every, Weekday
from app.foundation.database import db
from app.foundation.embedded.running import running
from app.foundation.ticking import Periodic, ScheduledRun
from config import load

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Chatham"]
START = datetime(2027, 1, 1, tzinfo=UTC)
TABLE = [
    Periodic("daily at nine", "nine", Daily(time(9))),
    Periodic("in the hour that clocks skip and repeat", "half past two", Daily(time(2, 30))),
    Periodic("at midnight", "midnight", Daily(time(0, 0))),
    Periodic("mondays at ten", "monday", Daily(time(10), Weekday.MONDAY)),
    Periodic("every six hours", "six hours", Every(6 * 60)),
]
LONGEST_JUMP = timedelta(hours=2)


class World:
    """True time, what the portal's clock says, and whether anybody ticks."""

    def __init__(self, chance: random.Random, years: int) -> None:
        self.chance, self.end = chance, START + timedelta(days=365.25 * years)
        self.now, self.wrong_by = START, timedelta()
        self.down = self.jumps = self.ticks = 0

    @property
    def seen(self) -> datetime:
        """What the portal believes."""
        return self.now + self.wrong_by

    def moments(self) -> Iterator[datetime]:
        """What the clock says at each tick. Between two ticks there may be a downtime, a jump, or both."""
        while self.now < self.end:
            yield self.seen
            self.ticks += 1
            self.now += timedelta(minutes=self.chance.choice([1, 1, 5, 20, 45, 60]))
            if self.chance.random() < 0.01:
                self.down += 1
                self.now += timedelta(
                    hours=self.chance.choice([1, 5, 13, 30, 60, 200]) * self.chance.random()
                )
            if self.chance.random() < 0.01:
                self.jumps += 1
                self.wrong_by = LONGEST_JUMP * self.chance.uniform(-1, 1) * self.chance.choice([0, 1, 1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--quick", action="store_true", help="a set in the place of PostgreSQL")
    given = parser.parse_args()
    print(f"seed {given.seed}")
    chances = [random.Random(given.seed + number) for number in range(len(ZONES))]
    if given.quick:
        faults = sum(decade(*one, given.years, remembered()) for one in zip(ZONES, chances, strict=True))
    else:
        faults = on_postgres(chances, given.years)
    print("0 missed, 0 doubled" if not faults else f"{faults} FAULTS")
    return int(bool(faults))


def on_postgres(chances: list[random.Random], years: int) -> int:
    """Every zone, with the portal's own tables."""
    with (
        tempfile.TemporaryDirectory(prefix="portalops-benchmark-") as folder,
        running(Path(folder), fast=True) as engines,
    ):
        app = create_app(
            load(
                {
                    "DATABASE_URL": engines.postgres.url,
                    "REDIS_URL": engines.redis.url,
                    "DATA_DIR": folder,
                    "LOG_LEVEL": "ERROR",
                }
            )
        )
        assert app.test_cli_runner().invoke(args=["setup"]).exit_code == 0
        ticking.install(TABLE)
        outbox.offer = lambda _offers: None  # what is promised is counted, not carried out
        faults = 0
        for zone, chance in zip(ZONES, chances, strict=True):
            with app.app_context():
                app.config["TIMEZONE"] = zone
                faults += decade(zone, chance, years, kept())
    return faults


Runs = list[tuple[str, datetime]]
# Ticks at a moment in a zone; asked for none, it says what was promised.
Ticker = Callable[[datetime | None, ZoneInfo], Runs]


def kept() -> Ticker:
    """The portal's `tick()`, on its emptied table."""
    db.session.execute(delete(ScheduledRun))
    db.session.commit()

    def tick(seen: datetime | None, _place: ZoneInfo) -> Runs:
        if seen is None:
            return [
                (job, slot) for job, slot in db.session.execute(select(ScheduledRun.job, ScheduledRun.slot))
            ]
        clock.now = lambda: seen  # type: ignore[assignment]
        ticking.tick()
        return []

    return tick


def remembered() -> Ticker:
    """What `tick()` decides: the latest slot of each job, unless it was promised before."""
    promised: Runs = []
    known: set[tuple[str, datetime]] = set()

    def tick(seen: datetime | None, place: ZoneInfo) -> Runs:
        come = {(one.job, one.cadence.last_slot(seen, place)) for one in TABLE} - known if seen else set()
        promised.extend(come)
        known.update(come)
        return promised

    return tick


def decade(zone: str, chance: random.Random, years: int, tick: Ticker) -> int:
    """Live through the years in one zone, and hold what was promised against what had to be."""
    begun, world, place = real.monotonic(), World(chance, years), ZoneInfo(zone)
    due: dict[str, set[datetime]] = {periodic.job: set() for periodic in TABLE}
    days: set[date] = set()
    last: dict[str, datetime] = {}
    for seen in world.moments():
        if any(last.get(one.job) != one.cadence.last_slot(seen, place) for one in TABLE):
            for _ in range(2 if world.chance.random() < 0.25 else 1):
                tick(seen, place)
        local = seen.astimezone(place)
        if local.time() >= time(9):
            days.add(local.date())
        for one in TABLE:
            last[one.job] = one.cadence.last_slot(seen, place)
            due[one.job].add(last[one.job])
    took = f"{world.ticks:,} ticks, {world.down} downtimes, {world.jumps} jumps of the clock"
    return verify(zone, due, days, tick(None, place), f"{took}, {real.monotonic() - begun:.0f} s")


def verify(zone: str, due: dict[str, set[datetime]], days: set[date], rows: Runs, story: str) -> int:
    """Hold what was promised against what had to be; says how many faults there are.

    Missed: the latest slot at some moment that was never promised, or one of `days`, on which somebody looked after nine,
    without its run at nine. Doubled: a slot, or a local day, run twice. Needless: a run that was not due.
    """
    promised: dict[str, list[datetime]] = {job: [] for job in due}
    for job, slot in rows:
        promised[job].append(slot)
    missed = sum(len(slots - set(promised[job])) for job, slots in due.items())
    needless = sum(len(set(promised[job]) - slots) for job, slots in due.items())
    doubled = sum(len(slots) - len(set(slots)) for slots in promised.values())
    for job in ("nine", "half past two", "midnight", "monday"):
        ran = [slot.astimezone(ZoneInfo(zone)).date() for slot in promised[job]]
        doubled += len(ran) - len(set(ran))
        missed += len(days - set(ran)) if job == "nine" else 0
    print(
        f"{zone}: {story}; {len(rows):,} runs, {missed} missed, {doubled} doubled, {needless} needless",
        flush=True,
    )
    return missed + doubled + needless


if __name__ == "__main__":
    sys.exit(main())
