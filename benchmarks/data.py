"""The data sets M and L, made by set-based SQL in a database that `flask setup` has just made.

    python -m benchmarks.data M postgresql://...

`root` is Admin, `alice` administers 10 services, `bob` 5 products, `charlie` has 50 tasks and no role.
Every second of the others has an account. Row n of a table has the id n: what a benchmark asks for needs no looking up.
"""

import argparse
import os
import time
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import text

from app import cli, create_app
from app.directory import operations as directory
from app.directory.models import Person
from app.foundation.database import db
from app.foundation.transactions import transaction
from config import load
from tests import cast

SERVICES_OF_ALICE, PRODUCTS_OF_BOB, TASKS_OF_CHARLIE = 10, 5, 50


@dataclass(frozen=True)
class Size:
    """Rows by table. `access` counts assignments and grants together."""

    services: int
    products: int
    people: int
    access: int
    tasks: int
    entries: int


M = Size(services=200, products=2_000, people=2_000, access=10_000, tasks=5_000, entries=100_000)
L = Size(**{name: rows * 10 for name, rows in vars(M).items()})
SIZES = {"M": M, "L": L}

FIRST = "Ada Bela Carl Dina Emil Fay Gero Hana Ivo Jana Kai Lena Milo Nora Omar Pia Quinn Rosa Sven Tara"
LAST = (
    "Abel Brandt Castro Dahl Ekman Fiala Gruber Holm Ibarra Jensen Kovac Lindqvist Moreau Novak Okafor Petit Quist"
    " Rossi Sato Tanaka Ulrich Varga Weber Yilmaz Zeman"
)

# Each statement fills its table up to the size; people begin after those who were there before.
FILL = (
    """
    INSERT INTO departments (name, created_at, updated_at)
    SELECT 'Department ' || n, now(), now() FROM generate_series(1, 20) AS n
    """,
    """
    INSERT INTO users (name, email, position, department_id, active, created_at, updated_at)
    SELECT (string_to_array(:first, ' '))[1 + n % 20] || ' ' || (string_to_array(:last, ' '))[1 + n / 20 % 25],
        'person.' || n || '@example.com', 'Position ' || n % 30, 1 + n % 20, n % 50 <> 0, now(), now()
    FROM generate_series((SELECT count(*) + 1 FROM users), :people) AS n
    """,
    """
    INSERT INTO ab_user (first_name, last_name, username, email, active, password, created_on, changed_on)
    SELECT split_part(name, ' ', 1), split_part(name, ' ', 2), email, email, active, :password, now(), now()
    FROM users WHERE account_id IS NULL AND id % 2 = 1 ORDER BY id
    """,
    """
    UPDATE users SET account_id = ab_user.id FROM ab_user WHERE ab_user.email = users.email AND account_id IS NULL
    """,
    """
    INSERT INTO services (name, vendor, url, description, created_at, updated_at)
    SELECT 'Service ' || n, 'Vendor ' || n % 60, 'https://service-' || n || '.example.com',
        'What service ' || n || ' is for, in a sentence or two.', now(), now()
    FROM generate_series(1, :services) AS n
    """,
    """
    INSERT INTO products (service_id, name, url, description, status, created_at, updated_at)
    SELECT 1 + (n - 1) / 10, 'Product ' || n, 'https://example.com/products/' || n,
        'What product ' || n || ' is for.', CASE WHEN n % 25 = 0 THEN 'retired' ELSE 'active' END, now(), now()
    FROM generate_series(1, :products) AS n
    """,
    """
    INSERT INTO permission_assignments (person_id, service_id, created_at)
    SELECT CASE WHEN n <= :of_alice THEN :alice ELSE 10 + n % (:people - 10) END, n, now()
    FROM generate_series(1, :services) AS n
    """,
    """
    INSERT INTO permission_assignments (person_id, product_id, created_at)
    SELECT CASE WHEN n % 20 = 11 AND n <= 20 * :of_bob + 100 AND n > 100 THEN :bob
        ELSE 10 + n * 3 % (:people - 10) END, n, now()
    FROM generate_series(1, :products) AS n
    """,
    """
    INSERT INTO access_grants (person_id, product_id, level, source, valid_from, valid_until, created_at)
    SELECT 1 + n % :people, 1 + (n * 7 + n / :people * 131) % :products,
        CASE n % 20 WHEN 0 THEN 'admin' WHEN 1 THEN 'viewer' ELSE 'member' END, 'import', current_date - n % 900,
        CASE WHEN n % 10 = 0 THEN current_date + n % 400 END, now()
    FROM generate_series(0, :access - :services - :products - 1) AS n
    """,
    """
    INSERT INTO workflow_tasks (key, type, action, status, priority, title, description, details, due_on, assignee_id,
        target_id, service_id, product_id, completed_at, completed_by_id, created_at, updated_at)
    SELECT 'task:' || n, 'onboarding', 'grant_access', status, CASE WHEN n % 9 = 0 THEN 'high' ELSE 'normal' END,
        'Give access to product ' || product, 'As the template of the department asks for.', '{}',
        current_date + n % 60 - 30, assignee, 1 + n * 13 % :people, 1 + (product - 1) / 10, product,
        CASE WHEN status = 'completed' THEN now() END, CASE WHEN status = 'completed' THEN assignee END, now(), now()
    FROM generate_series(1, :tasks) AS n,
        LATERAL (SELECT CASE WHEN n % (:tasks / :of_charlie) = 0 THEN :charlie ELSE 10 + n % (:people - 10) END,
            CASE WHEN n / 7 % 5 < 3 THEN 'completed' WHEN n % 2 = 0 THEN 'in_progress' ELSE 'pending' END,
            1 + n * 11 % :products) AS task (assignee, status, product)
    """,
    """
    INSERT INTO task_comments (task_id, author_id, author_name, content, created_at)
    SELECT n, 10, 'Somebody', 'A comment on task ' || n, now() FROM generate_series(1, :tasks, 3) AS n
    """,
)

# Through the trigger, row by row, as every entry comes to the log: `audit verify` accepts the chain.
LOG = """
    INSERT INTO audit_logs (action, target_type, target_id, target_label, actor_id, actor_name, actor_email, address,
        request_id, before, after)
    SELECT kind || verb, kind, 1 + n % :people, kind || ' ' || n, 1 + n % 500, 'Actor ' || n % 500,
        'person.' || n % 500 || '@example.com', '192.0.2.' || n % 250, md5(n::text),
        CASE WHEN verb = '.update' THEN jsonb_build_object('name', 'Before ' || n) END,
        jsonb_build_object('name', 'After ' || n, 'description', 'What it is for.')
    FROM generate_series(1, :entries - (SELECT count(*) FROM audit_logs)) AS n,
        LATERAL (SELECT (ARRAY['task', 'task', 'task', 'user', 'product', 'grant', 'service'])[1 + n % 7],
            CASE WHEN n % 3 = 0 THEN '.create' ELSE '.update' END) AS what (kind, verb)
"""

# Column -> what it is filled with, for a table of a version that has payments.
PAYMENTS = {
    "product_id": "n",
    "amount": "CASE WHEN n % 3 > 0 THEN (n % 500 + 0.99)::numeric(12, 2) END",
    "currency": "'EUR'",
    "cardholder_name": "CASE WHEN n % 3 > 0 THEN 'Holder ' || n % 40 END",
    "card_last4": "lpad((n % 10000)::text, 4, '0')",
    "expiry_date": "CASE WHEN n % 3 > 0 THEN current_date + 30 + n % 900 END",
    "payment_method": "CASE WHEN n % 3 > 0 THEN 'credit_card' END",
    "renewal_frequency": "CASE WHEN n % 5 = 0 THEN 'yearly' ELSE 'monthly' END",
    "next_renewal_date": "current_date + n % 360",
    "auto_renew": "n % 4 > 0",
    "notice_days": "30",
    "created_at": "now()",
    "updated_at": "now()",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("database_url", help="of an empty database")
    given = parser.parse_args()
    os.environ |= {"DATABASE_URL": given.database_url, "ADMIN_PASSWORD": cast.PASSWORD}
    app = create_app(load())
    app.test_cli_runner().invoke(cli.setup, catch_exceptions=False)
    begun = time.monotonic()
    seed(app, SIZES[given.size])
    print(f"{given.size} in {time.monotonic() - begun:.1f} s")


def seed(app: Flask, size: Size) -> None:
    """Fill the database of a portal that was just set up. RuntimeError where there was something in it before."""
    with app.app_context():
        with transaction():
            words = {"first": FIRST, "last": LAST, "password": cast.password_hash()}
            given = {**vars(size), **settle_cast(), **words}
            db.session.execute(text("SET LOCAL statement_timeout = 0"))
            for statement in FILL:
                db.session.execute(text(statement), given)
            fill_payments(size)
        with transaction():
            db.session.execute(text("SET LOCAL statement_timeout = 0"))
            db.session.execute(text(LOG), given)
        check(size)
        tidy_up()


def settle_cast() -> dict[str, int]:
    """Those who sign in, with the password of the tests' cast."""
    people: dict[str, Person] = {}
    roles = {"root": "Admin", "alice": "ServiceAdministrator", "bob": "ProductAdministrator"}
    for name in cast.NAMES:
        people[name] = directory.create_person(name=name.capitalize(), email=f"{name}@example.com")
        directory.ensure_account(people[name]).password = cast.password_hash()
        if name in roles:
            directory.grant_role(people[name], roles[name])
    db.session.flush()
    numbers = {"of_alice": SERVICES_OF_ALICE, "of_bob": PRODUCTS_OF_BOB, "of_charlie": TASKS_OF_CHARLIE}
    return numbers | {name: person.id for name, person in people.items()}


def fill_payments(size: Size) -> None:
    """One row for each product; a third of them incomplete."""
    known = db.session.scalars(
        text("SELECT column_name FROM information_schema.columns WHERE table_name = 'payment_infos'")
    )
    columns = [name for name in known if name in PAYMENTS]
    if columns:
        values = ", ".join(PAYMENTS[name] for name in columns)
        insert = f"INSERT INTO payment_infos ({', '.join(columns)}) SELECT {values} FROM generate_series(1, :products) AS n"
        db.session.execute(text(insert), {"products": size.products})


def check(size: Size) -> None:
    """Every table is as full as the size says, and ids are row numbers."""
    wanted = {
        "services": size.services,
        "products": size.products,
        "users": size.people,
        "workflow_tasks": size.tasks,
        "audit_logs": size.entries,
    }
    found = {name: _count(f"SELECT count(*) FROM {name}") for name in wanted}
    last = {name: _count(f"SELECT max(id) FROM {name}") for name in wanted}
    access = _count(
        "SELECT (SELECT count(*) FROM permission_assignments) + (SELECT count(*) FROM access_grants)"
    )
    if found != wanted or last != wanted or access != size.access:
        raise RuntimeError(f"The database was not an empty one: {found}, last ids {last}, access {access}.")


def tidy_up() -> None:
    """Statistics and visibility as a portal has them that was filled over months, and no writing left to do."""
    engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))
    db.session.remove()
    db.engine.dispose()


def _count(query: str) -> Any:
    return db.session.scalar(text(query))


if __name__ == "__main__":
    main()
