"""Everything that may happen to a portal happens in turn, under load; nothing acknowledged is lost or doubled.

    python -m drills.faults --seed 1            # every fault, about 12 minutes
    python -m drills.faults --only 'fails over'

HR announces joiners and somebody reads pages throughout. Each fault is followed until all that was acknowledged is done:
pages answer within 3 s or say 503 with Retry-After, and all is well within `LIMIT_SECONDS`. Exit status 1 if not.
"""

import argparse
import http.client
import os
import random
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

import psycopg2

from tests.deployment import Deployment, throwaway
from tests.faults.announcing import Announcing, not_as_promised
from tests.faults.conftest import TASKS_EACH, furnish
from tests.faults.havoc import FAULTS, Fault, behind_one_address

LIMIT_SECONDS = 60
BEFORE_SECONDS, AFTER_SECONDS = 3, 5
EVERYTHING = ("postgres", "redis", "worker", "scheduler", "web")


@dataclass(frozen=True)
class Verdict:
    """What people saw, and how long it took."""

    name: str
    acknowledged: int
    unavailable: int
    unanswered: int
    slowest: float
    recovered: float
    broken: list[object]

    def __str__(self) -> str:
        cells = [self.name, self.acknowledged, self.unavailable, self.unanswered, f"{self.slowest:.1f}"]
        cells += [f"{self.recovered:.0f}", f"BROKEN: {self.broken[:3]}" if self.broken else "kept"]
        return "| " + " | ".join(map(str, cells)) + " |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", default="", help="faults whose name has this in it")
    given = parser.parse_args()
    chosen = {name: fault for name, fault in FAULTS.items() if given.only in name}
    chance = random.Random(given.seed)
    print(f"seed {given.seed}\n")
    print("| fault | acknowledged | said 503 | no answer | slowest, s | all done after, s | promise |")
    print("|---|---|---|---|---|---|---|", flush=True)
    with throwaway() as portal:
        behind_one_address(portal)
        portal.open(*EVERYTHING[2:])
        furnish(portal)
        verdicts = [suffer(portal, name, fault, chance) for name, fault in chosen.items()]
    broken = [verdict.name for verdict in verdicts if verdict.broken]
    print(
        f"\nload of the machine {os.getloadavg()[0]:.1f}; " + (f"BROKEN: {broken}" if broken else "all kept")
    )
    return int(bool(broken))


def suffer(portal: Deployment, name: str, fault: Fault, chance: random.Random) -> Verdict:
    """One fault under load, and what came of it."""
    announcing = Announcing(portal)
    with announcing.on():
        time.sleep(BEFORE_SECONDS)
        fault(portal, chance)
        ended = time.monotonic()
        time.sleep(AFTER_SECONDS)
    took = settle(portal, ended)
    broken: list[object] = [*announcing.wrong]
    broken += not_as_promised(portal, announcing.acknowledged, TASKS_EACH)
    if took > LIMIT_SECONDS:
        broken.append(f"not done after {took:.0f} s")
    verdict = Verdict(
        name,
        len(announcing.acknowledged),
        announcing.unavailable,
        announcing.unanswered,
        announcing.slowest,
        took,
        broken,
    )
    print(verdict, flush=True)
    return verdict


def settle(portal: Deployment, since: float) -> float:
    """Seconds until the portal is healthy and no promise waits; gives up after five times the limit."""
    while time.monotonic() - since < 5 * LIMIT_SECONDS:
        portal.revive(*EVERYTHING, wait=False)
        with suppress(OSError, http.client.HTTPException, psycopg2.Error):
            waiting = portal.one("SELECT count(*) FROM outbox WHERE state = 'waiting' AND attempts > 0")
            if waiting == 0 and portal.get("/health").status == http.HTTPStatus.OK:
                break
        time.sleep(0.2)
    return time.monotonic() - since


if __name__ == "__main__":
    sys.exit(main())
