"""10,000 promises of work under 100 `kill -9`, spread over worker, scheduler, web, Redis and PostgreSQL: none is lost.

Promises are rows of the outbox, acknowledged by their commit, while everything dies at random and is started again as a
supervisor does. In the end each one is done, once, or a dead letter, within `LIMIT_SECONDS` of the last kill. `--seed`
chooses the same victims and pauses again.

    .venv/bin/python -m drills.kill_minus_nine
"""

import argparse
import os
import random
import sys
import threading
import time

import psycopg2

from tests.deployment import Deployment, throwaway

VICTIMS = ("worker", "scheduler", "web", "redis", "postgres")
EVERYTHING = ("postgres", "redis", "worker", "worker.2", "scheduler", "web")
LIMIT_SECONDS = 120
WORK = "app.directory.jobs.prune_sign_in_limits"
# As `outbox.enqueue` writes a row: leased for 30 s to the worker whom it is offered to after the commit.
PROMISE = """
    INSERT INTO outbox (job, arguments, queue, state, attempts, begun, due_at, created_at)
    SELECT %s, '[]', 'default', 'waiting', 1, 0, now() + interval '30 seconds', now()
    FROM generate_series(1, %s) RETURNING id
"""
# A witness that no transaction of the portal can take back: what was done is noted by a trigger, in the same commit.
WITNESS = """
    CREATE TABLE drill_done (id integer, at timestamptz DEFAULT clock_timestamp());
    CREATE FUNCTION drill_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO drill_done (id) VALUES (new.id); RETURN new; END $$;
    CREATE TRIGGER drill_note AFTER UPDATE ON outbox FOR EACH ROW
    WHEN (old.state <> 'done' AND new.state = 'done') EXECUTE FUNCTION drill_note();
"""


class Promises(threading.Thread):
    """Makes promises in small transactions until all are acknowledged, whatever happens to PostgreSQL."""

    def __init__(self, portal: Deployment, count: int, batch: int = 20) -> None:
        super().__init__(daemon=True)
        self.address = portal.database_url.replace("+psycopg2", "")
        self.portal, self.count, self.batch = portal, count, batch
        self.kept: list[int] = []
        self.pace = 0.1

    def run(self) -> None:
        while len(self.kept) < self.count:
            try:
                connection = psycopg2.connect(self.address, connect_timeout=3)
                try:
                    with connection, connection.cursor() as cursor:
                        cursor.execute(PROMISE, [WORK, min(self.batch, self.count - len(self.kept))])
                        keys = [key for (key,) in cursor.fetchall()]
                    self.kept += keys
                finally:
                    connection.close()
            except psycopg2.Error:
                time.sleep(0.2)
            time.sleep(self.pace)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with throwaway() as portal:
        portal.open()
        portal.rows(WITNESS)
        portal.start(*EVERYTHING[2:])
        return drill(portal, given.rows, given.kills, random.Random(given.seed))


def drill(portal: Deployment, rows: int, kills: int, chance: random.Random) -> int:
    """Promise and kill; then wait, and count."""
    promises = Promises(portal, rows)
    promises.start()
    begun, died = time.monotonic(), dict.fromkeys(VICTIMS, 0)
    for _ in range(kills):
        time.sleep(chance.uniform(0.2, 1.5))
        victim = chance.choice(VICTIMS)
        portal.kill(victim)
        died[victim] += 1
        time.sleep(chance.uniform(0, 0.5))
        portal.revive(*EVERYTHING, wait=False)
    last = time.monotonic()
    print(f"{kills} kills in {last - begun:.0f} s: {died}", flush=True)
    promises.join()
    print(f"{len(promises.kept):,} promises acknowledged {time.monotonic() - last:+.0f} s from the last kill")
    took = settle(portal, last)
    return verify(portal, promises.kept, took)


def settle(portal: Deployment, last: float) -> float:
    """Seconds from the last kill until nothing waits; gives up after five times the limit."""
    while time.monotonic() - last < 5 * LIMIT_SECONDS:
        portal.revive(*EVERYTHING, wait=False)
        waiting = portal.one("SELECT count(*) FROM outbox WHERE state = 'waiting' AND job = %s", WORK)
        if waiting == 0:
            break
        time.sleep(0.5)
    return time.monotonic() - last


def verify(portal: Deployment, kept: list[int], took: float) -> int:
    """Every acknowledged promise is there, and done once or a dead letter."""
    states = dict(portal.rows("SELECT state, count(*) FROM outbox WHERE id = ANY(%s) GROUP BY 1", kept))
    twice = portal.one(
        "SELECT count(*) FROM (SELECT id FROM drill_done WHERE id = ANY(%s) GROUP BY id HAVING count(*) > 1) AS again",
        kept,
    )
    lost = len(kept) - sum(states.values())
    print(f"{states}; {lost} lost, {twice} done twice")
    print(f"done {took:.0f} s after the last kill (at most {LIMIT_SECONDS}); load {os.getloadavg()[0]:.1f}")
    sound = not lost and not twice and set(states) <= {"done", "dead"} and took <= LIMIT_SECONDS
    print("nothing lost" if sound else "NOT AS PROMISED")
    return int(not sound)


if __name__ == "__main__":
    sys.exit(main())
