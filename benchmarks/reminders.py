"""The payment expiry check when 10,000 reminders are due: 1,000 cards of one service that ten people are in charge of."""

import os
import tempfile
import time
from pathlib import Path

from sqlalchemy import event, text

from app import cli, create_app
from app.foundation.database import db
from app.foundation.embedded.running import running
from app.foundation.transactions import transaction
from app.reminders import operations as reminders
from benchmarks.data import tidy_up
from config import load

AIM_SECONDS, AIM_STATEMENTS = 10, 40
SIZES = {"products": 1_000, "people": 9}
FILL = (
    "INSERT INTO services (name, created_at, updated_at) VALUES ('Service', now(), now())",
    (
        "INSERT INTO products (service_id, name, status, created_at, updated_at)"
        " SELECT 1, 'Product ' || n, 'active', now(), now() FROM generate_series(1, :products) n"
    ),
    (
        "INSERT INTO payment_infos (product_id, amount, currency, payment_method, card_last4, expiry_date, auto_renew,"
        " created_at, updated_at)"
        " SELECT id, 10, 'USD', 'Credit card', '4242', current_date + id % 25, true, now(), now() FROM products"
    ),
    (
        "INSERT INTO users (name, email, active, created_at, updated_at)"
        " SELECT 'Person ' || n, 'person.' || n || '@example.com', true, now(), now() FROM generate_series(1, :people) n"
    ),
    (
        "INSERT INTO permission_assignments (person_id, service_id, created_at)"
        " SELECT id, 1, now() FROM users WHERE name LIKE 'Person %'"
    ),
)


def fill() -> None:
    """One service, its products, the people in charge; the first administrator is told as well."""
    with transaction():
        for statement in FILL:
            db.session.execute(text(statement), SIZES)
    tidy_up()


def measure() -> bool:
    """Whether the check, and one right after it with nothing left to tell, came within the aims."""
    good = True
    for name in ("all to tell", "nothing left"):
        seen: list[str] = []

        def note(
            _connection: object, _cursor: object, statement: str, *_rest: object, kept: list[str] = seen
        ) -> None:
            kept.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        begun, spent = time.perf_counter(), time.process_time()
        people, items = reminders.tell_of_payments()
        db.session.commit()
        took, spent = time.perf_counter() - begun, time.process_time() - spent
        event.remove(db.engine, "before_cursor_execute", note)
        told = db.session.scalar(text("SELECT count(*) FROM reminders_sent WHERE person_id IS NOT NULL"))
        print(f"{name}: {people} people, {items} items, {told:,} reminders kept, {len(seen)} statements, "
              f"{took:.2f} s, {spent:.2f} s of processor time")  # fmt: skip
        good &= spent < AIM_SECONDS and len(seen) <= AIM_STATEMENTS
        db.session.remove()
    return good


def main() -> int:
    """On engines of its own, in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as engines:
        env = {
            **os.environ,
            "DATABASE_URL": engines.postgres.url,
            "REDIS_URL": engines.redis.url,
            "DATA_DIR": folder,
        }
        app = create_app(load(env))
        result = app.test_cli_runner().invoke(cli.setup)
        if result.exit_code:
            print(result.output)
            return 1
        with app.app_context():
            fill()
            return 0 if measure() else 1


if __name__ == "__main__":
    raise SystemExit(main())
