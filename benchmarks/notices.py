"""Notices: how long 10,000 of them take to plan, and how long one takes to leave by mail.

Starts a portal of real processes and a real mail server on loopback and ends them again. See README.md.
"""

import argparse
import logging
import statistics
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import event, insert

from app import create_app
from app.directory.models import Person
from app.foundation.database import db
from app.notifications import operations as notifications
from app.notifications.models import Kind
from app.notifications.operations import Notice
from config import load
from tests.deployment import Deployment, throwaway
from tests.postoffice import PostOffice, post_office
from tests.runtime.processes import wait_until

PEOPLE = 1_000
LATENCY = """
    SELECT extract(epoch FROM finished_at - created_at) FROM messages
    WHERE kind = 'task' AND state = 'sent' ORDER BY 1
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--notices", type=int, default=10_000)
    parser.add_argument("--trickle", type=int, default=120, help="notices of the latency measurement")
    parser.add_argument("--pause", type=float, default=0.25, help="seconds between two of them")
    given = parser.parse_args()
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    with (
        post_office() as office,
        throwaway(SMTP_HOST="127.0.0.1", SMTP_PORT=str(office.port), SMTP_STARTTLS="false") as portal,
    ):
        portal.open()
        with create_app(load(portal.env)).app_context():
            return measure(portal, office, given)


def measure(portal: Deployment, office: PostOffice, given: argparse.Namespace) -> int:
    people = [{"name": f"Person {n}", "email": f"person.{n}@example.com"} for n in range(PEOPLE)]
    keys = list(db.session.scalars(insert(Person).returning(Person.id), people))
    db.session.commit()
    portal.start("worker", "scheduler")
    warm_up(portal, keys[0])
    slowest = trickle(portal, keys, given.trickle, given.pause)
    portal.kill("worker")
    seconds = plan(keys, given.notices)
    portal.start("worker")
    begun, before = time.monotonic(), len(office.mails)
    wait_until(lambda: len(office.mails) - before >= min(given.notices, 2_000), 600)
    print(
        f"then they leave at {(len(office.mails) - before) / (time.monotonic() - begun):.0f} mails a second"
    )
    return 0 if seconds < 10 and slowest < 30 else 1


def warm_up(portal: Deployment, person_id: int) -> None:
    """Until the worker is there, nothing is measured."""
    notifications.notify_all([Notice(person_id=person_id, kind=Kind.PAYMENTS, title="The first one")])
    db.session.commit()
    wait_until(lambda: portal.one("SELECT count(*) FROM messages WHERE state = 'sent'") == 1, 120)


def plan(keys: list[int], count: int) -> float:
    """By mail for everybody: the dearest case."""
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda _c, _u, text, *_: statements.append(text))
    notices = [
        Notice(
            person_id=keys[number % len(keys)],
            kind=Kind.PAYMENTS,
            title=f"Product {number} renews in 7 days",
            body="It can be cancelled until tomorrow.",
            href=f"/payments/products/{number}",
            cause=f"benchmark:{number}",
        )
        for number in range(count)
    ]
    processor, begun = time.process_time(), time.monotonic()
    notifications.notify_all(notices)
    db.session.commit()
    seconds = time.monotonic() - begun
    print(
        f"{count:,} notices planned in {seconds:.1f} s ({time.process_time() - processor:.1f} s of processor time), "
        f"{len(statements)} statements"
    )
    return seconds


def trickle(portal: Deployment, keys: list[int], count: int, pause: float) -> float:
    """One at a time, and how long each took from its decision until the server had taken it."""
    for number in range(count):
        notifications.notify_all(
            [Notice(person_id=keys[number], kind=Kind.TASK, title=f"Task {number}, {datetime.now(UTC)}")]
        )
        db.session.commit()
        time.sleep(pause)
    wait_until(lambda: portal.one("SELECT count(*) FROM messages WHERE state = 'sent'") > count, 120)
    waits = [float(row[0]) for row in portal.rows(LATENCY)]
    p99 = statistics.quantiles(waits, n=100)[98]
    print(f"{count} notices left one by one: p50 {statistics.median(waits):.2f} s, p99 {p99:.2f} s")
    return p99


if __name__ == "__main__":
    sys.exit(main())
