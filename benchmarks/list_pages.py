"""Statements and time of every list, as a page and in the generated API, in an almost empty and in a full portal."""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event, select, text

from app import cli, create_app, demo_company
from app.directory import operations as directory
from app.directory.models import Account
from app.foundation.database import db
from app.foundation.embedded.running import running
from app.foundation.transactions import transaction
from config import load
from tests.visitor import Visitor

ROUNDS = 15
MOST = 12
PAGES = {
    "inbox": "/inbox/?scope=all&status=",
    "services": "/services/list/?psize_ServiceView=25",
    "products": "/products/list/?psize_ProductView=25",
    "who administers what": "/assignments/list/?psize_AssignmentView=25",
    "access": "/grants/list/?psize_GrantView=25",
    "people": "/people/list/?psize_PersonView=25",
    "departments": "/departments/list/?psize_DepartmentView=25",
    "cases": "/cases/list/?psize_CaseView=25",
    "access templates": "/templates/list/?psize_TemplateView=25",
    "HR announcements": "/hr-events/list/?psize_HrEventView=25",
    "audit log": "/audit/",
}
RESOURCES = [
    "tasks",
    "services",
    "products",
    "permission-assignments",
    "access-grants",
    "people",
    "departments",
    "lifecycle-cases",
    "access-templates",
    "hr-events",
    "audit-logs",
]
MORE_PEOPLE = """
    INSERT INTO users (name, email, active, created_at, updated_at)
    SELECT 'Person ' || n, 'person.' || n || '@example.com', true, now(), now() FROM generate_series(1, 20000) AS n
"""
MORE_GRANTS = """
    INSERT INTO access_grants (person_id, product_id, level, source, valid_from, created_at)
    SELECT users.id, products.id, 'member', 'import', current_date, now() FROM users, products
    WHERE users.email LIKE 'person.%' AND products.id % 20 = 0
"""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="portalops-benchmark-") as folder, running(Path(folder)):
        os.environ |= {"DATA_DIR": folder}
        app = create_app(load())
        app.test_cli_runner().invoke(cli.setup)
        before = measure(app)
        with app.app_context():
            demo_company.load()
            with transaction():
                db.session.execute(text(MORE_PEOPLE))
                db.session.execute(text(MORE_GRANTS))
            db.session.execute(text("ANALYZE"))
            counted = {
                name: db.session.scalar(text(f"SELECT count(*) FROM {name}"))
                for name in ("users", "access_grants", "audit_logs")
            }
        after = measure(app)
    print(f"full: {counted}")
    print(f"{'list':<36}{'statements':>12}{'time, ms':>16}")
    print(f"{'':<36}{'empty  full':>12}{'empty    full':>16}")
    for name, (few, quick) in before.items():
        many, slow = after[name]
        mark = "" if max(few, many) <= MOST else f"  more than {MOST}"
        print(f"{name:<36}{few:>6}{many:>6}{quick:>8.1f}{slow:>8.1f}{mark}")


def measure(app: Flask) -> dict[str, tuple[int, float]]:
    visitor = an_admin(app)
    found = {name: look(app, lambda path=path: visitor.get(path)) for name, path in PAGES.items()}
    query = "(page_size:25,page:0)"
    for name in RESOURCES:
        found[f"API {name}"] = look(app, lambda name=name: visitor.api("GET", f"{name}/?q={query}"))
    return found


def an_admin(app: Flask) -> Visitor:
    with app.app_context():
        email = db.session.scalar(select(Account.email).where(Account.email == "measure@example.com"))
        if email is None:
            with transaction():
                person = directory.create_person(name="Measure", email="measure@example.com")
                directory.grant_role(person, "Admin")
    return Visitor(app, "measure")


def look(app: Flask, call: Any) -> tuple[int, float]:
    """The statements of one answer, and the median time of several, in milliseconds."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    with app.app_context():
        engine = db.engine
    assert call().status_code == 200
    event.listen(engine, "before_cursor_execute", note)
    call()
    event.remove(engine, "before_cursor_execute", note)
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return len(seen), statistics.median(seconds) * 1000


if __name__ == "__main__":
    main()
