"""The register's page and a saved cell at 2,000 products: time on the server, bytes, statements."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event, insert, select

from app import create_app
from app.foundation import clock
from app.foundation.database import db
from app.foundation.embedded.running import running
from app.inventory.models import Product, Service
from app.payments.models import PaymentInfo
from config import load
from tests import cast
from tests.visitor import Visitor

ROUNDS = 40
PRODUCTS = 2_000
LIMITS = {"first view": 150, "filtered and sorted": 150, "inline save": 40}


def fill() -> None:
    """The cast's world, and 2,000 products in 100 services; one payment in ten is incomplete."""
    cast.settle()
    services = [{"name": f"Service {number:03}"} for number in range(100)]
    owners = db.session.execute(insert(Service).returning(Service.id), services).scalars().all()
    rows = [
        {"service_id": owners[number % 100], "name": f"Product {number:05}", "status": "active"}
        for number in range(PRODUCTS)
    ]
    keys = db.session.execute(insert(Product).returning(Product.id), rows).scalars().all()
    db.session.execute(insert(PaymentInfo), [_payment(number, key) for number, key in enumerate(keys)])
    db.session.commit()


def _payment(number: int, key: int) -> dict[str, Any]:
    return {
        "product_id": key,
        "amount": Decimal(number + 1) if number % 10 else None,
        "currency": ("EUR", "USD", "GBP", "CHF", "JPY")[number % 5],
        "cardholder_name": f"Holder {number % 40}",
        "card_last4": f"{number % 90 + 1000}",
        "payment_method": ("Credit card", "Invoice", "Direct debit")[number % 3],
        "expiry_date": clock.today() + timedelta(days=number % 900 - 30),
        "renewal_frequency": ("monthly", "quarterly", "yearly", "every_24_months")[number % 4],
        "next_renewal_date": clock.today() + timedelta(days=number % 360 + 1),
        "auto_renew": True,
        "notice_days": 30,
    }


def measure(app: Flask, ask: Callable[[int], Any]) -> tuple[float, float, int, int]:
    """Median and slowest of some rounds in ms, bytes of an answer, statements."""
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    times, answer = [], ask(0)
    for number in range(1, ROUNDS):
        began = time.perf_counter()
        answer = ask(number)
        times.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, answer.text
    event.listen(engine, "before_cursor_execute", note)
    ask(ROUNDS)
    event.remove(engine, "before_cursor_execute", note)
    return statistics.median(times), max(times), len(answer.data), len(seen)


def main() -> None:
    """Start the engines, fill, measure, print; exit code 1 over a limit."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), fast=True) as engines:
        secret = "a secret only for measuring, long enough for any check of length"
        given = {"DATABASE_URL": engines.postgres.url, "REDIS_URL": engines.redis.url, "DATA_DIR": folder}
        app = create_app(load({**os.environ, **given, "SECRET_KEY": secret, "JWT_SECRET_KEY": secret}))
        assert app.test_cli_runner().invoke(args=["setup"]).exit_code == 0
        with app.app_context():
            fill()
            one = db.session.scalars(select(PaymentInfo.id).order_by(PaymentInfo.id.desc()).limit(1)).one()
            db.session.remove()
        root = Visitor(app, "root")
        json = {"Accept": "application/json"}
        cases: dict[str, Callable[[int], Any]] = {
            "first view": lambda _: root.get("/payments/list/"),
            "filtered and sorted": lambda _: root.get("/payments/list/?currency=EUR&sort=-amount&q=prod"),
            "inline save": lambda number: root.post(
                f"/payments/row/{one}", {"field": "amount", "value": str(number + 5)}, headers=json
            ),
        }
        found = {name: measure(app, ask) for name, ask in cases.items()}
    for name, (median, most, size, statements) in found.items():
        print(f"{name:20} {median:6.1f} ms (slowest {most:6.1f}) {size:8,} bytes {statements:3} statements")
    raise SystemExit(any(found[name][0] > most for name, most in LIMITS.items()))


if __name__ == "__main__":
    main()
