"""A year of spend over 20,000 products and 500,000 payments: statements and time of the report and of its downloads."""

import os
import tempfile
from pathlib import Path

from sqlalchemy import text

from app import cli, create_app
from app.foundation.database import db
from app.foundation.embedded.running import running
from app.foundation.transactions import transaction
from app.reports.spend import BREAKDOWNS
from app.reports.spend_views import PAGES
from benchmarks.data import tidy_up
from benchmarks.list_pages import an_admin, look
from config import load
from tests.visitor import Visitor

AIM = 300
SIZES = {"services": 2_000, "products": 20_000, "people": 5_000, "grants": 100_000, "payments": 500_000}
# Payments of each product are a month apart, the last one this month: half of them lie in the year that is asked for.
FILL = (
    "INSERT INTO departments (name, created_at, updated_at) SELECT 'Department ' || n, now(), now() FROM generate_series(1, 40) n",
    (
        "INSERT INTO services (name, created_at, updated_at)"
        " SELECT 'Service ' || n, now(), now() FROM generate_series(1, :services) n"
    ),
    (
        "INSERT INTO products (service_id, name, status, created_at, updated_at)"
        " SELECT 1 + n % :services, 'Product ' || n, 'active', now(), now() FROM generate_series(1, :products) n"
    ),
    (
        "INSERT INTO users (name, email, department_id, active, created_at, updated_at)"
        " SELECT 'Person ' || n, 'person.' || n || '@example.com', 1 + n % 40, true, now(), now()"
        " FROM generate_series(1, :people) n"
    ),
    (
        "INSERT INTO access_grants (person_id, product_id, level, source, valid_from, created_at)"
        " SELECT 1 + n % :people, 1 + (n * 7919::bigint + n / :people) % :products, 'member', 'import', current_date, now()"
        " FROM generate_series(1, :grants) n ON CONFLICT DO NOTHING"
    ),
    (
        "INSERT INTO payment_infos (product_id, amount, currency, payment_method, renewal_frequency, next_renewal_date,"
        " auto_renew, created_at, updated_at)"
        " SELECT n, 10 + n % 990, (ARRAY['USD', 'EUR', 'GBP'])[1 + n % 3], 'Credit card',"
        " (ARRAY['monthly', 'quarterly', 'yearly'])[1 + n % 3], current_date + n % 300, true, now(), now()"
        " FROM generate_series(1, :products) n"
    ),
    (
        "INSERT INTO payments_made (product_id, amount, currency, paid_on, method, voids, recorded_by_name, recorded_at)"
        " SELECT 1 + n % :products, 10 + n % 990, (ARRAY['USD', 'EUR', 'GBP'])[1 + n % :products % 3],"
        " (current_date - make_interval(months => n / :products))::date,"
        " (ARRAY['Credit card', 'Invoice', 'PayPal', NULL])[1 + n % 4], false, 'Benchmark', now()"
        " FROM generate_series(0, :payments - 1) n"
    ),
    (
        "INSERT INTO payments_made (product_id, amount, currency, paid_on, method, voids, corrects_id, note,"
        " recorded_by_name, recorded_at)"
        " SELECT product_id, amount + 1, currency, paid_on, method, id % 500 = 0, id, 'Wrong', 'Benchmark', now()"
        " FROM payments_made WHERE id % 100 = 0"
    ),
    (
        "INSERT INTO exchange_rates (currency, company_currency, day, rate, created_at, updated_at)"
        " SELECT code, 'USD', current_date - 30, 1.1, now(), now() FROM unnest(ARRAY['EUR', 'GBP']) code"
    ),
)


def fill() -> None:
    """A portal's tables as they may be after years."""
    with transaction():
        db.session.execute(text("SET LOCAL statement_timeout = 0"))
        for statement in FILL:
            db.session.execute(text(statement), SIZES)
    tidy_up()


def measure(visitor: Visitor) -> bool:
    """Whether every answer came within the aim."""
    fast = True
    pages = (f"/spend/?by={name}" for name in PAGES)
    for path in (*pages, *(f"/spend/{name}.csv" for name in BREAKDOWNS)):
        statements, milliseconds = look(visitor.app, lambda path=path: visitor.get(path))
        fast = fast and milliseconds <= AIM
        print(f"{path:<28}{statements:>4} statements{milliseconds:>10.1f} ms")
    return fast


def main() -> int:
    """0 if it was fast enough."""
    with tempfile.TemporaryDirectory(prefix="portalops-benchmark-") as folder, running(Path(folder)):
        os.environ |= {"DATA_DIR": folder}
        app = create_app(load())
        app.test_cli_runner().invoke(cli.setup, catch_exceptions=False)
        visitor = an_admin(app)
        with app.app_context():
            fill()
        return 0 if measure(visitor) else 1


if __name__ == "__main__":
    raise SystemExit(main())
