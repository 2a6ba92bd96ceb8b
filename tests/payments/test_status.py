"""The state of a payment: the same in Python and in SQL, and right at each border."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, text

from app.foundation import clock
from app.foundation.database import db
from app.foundation.paging import page_of
from app.inventory import operations as inventory
from app.inventory.models import Product, Service
from app.payments import operations as payments
from app.payments import queries
from app.payments.models import PaymentInfo
from app.payments.status import PaymentState

BORDERS = (-400, -1, 0, 1, 29, 30, 31, 59, 60, 61, 900)


@pytest.fixture
def service(context):
    made = Service(name="Random")
    db.session.add(made)
    db.session.flush()
    return made


def pay(service, number, **fields):
    product = Product(service=service, name=f"Random {number}")
    payment = PaymentInfo(product=product, **fields)
    db.session.add(payment)
    return payment


def test_python_and_sql_agree_on_random_rows(service):
    chance, today = random.Random(7), clock.today()

    def maybe(value):
        return value if chance.random() < 0.8 else None

    rows = [
        pay(
            service,
            number,
            amount=maybe(Decimal(chance.choice(("0", "12.50")))),
            cardholder_name=maybe("Jane"),
            payment_method=maybe("Invoice"),
            expiry_date=maybe(today + timedelta(days=chance.choice(BORDERS))),
            next_renewal_date=maybe(today + timedelta(days=chance.choice(BORDERS))),
        )
        for number in range(1_000)
    ]
    db.session.flush()
    query = select(PaymentInfo.id, PaymentInfo.state, PaymentInfo.status)
    told = {row[0]: (row[1], row[2]) for row in db.session.execute(query)}
    assert {row.id: (row.state, row.status) for row in rows} == {row.id: told[row.id] for row in rows}
    assert {row.state for row in rows} == set(PaymentState)


@pytest.mark.parametrize(
    ("expires", "renews", "state"),
    [
        (-1, None, "expired"),
        (-1, -1, "expired"),
        (0, None, "expiring"),
        (60, None, "expiring"),
        (61, None, "complete"),
        (61, 30, "renewal_due"),
        (0, 30, "renewal_due"),
        (61, 31, "complete"),
        (61, -100, "renewal_due"),
        (None, 0, "incomplete"),
    ],
)
def test_most_urgent_state_is_told(service, expires, renews, state):
    today = clock.today()
    payment = pay(
        service,
        0,
        amount=Decimal(0),
        cardholder_name="Jane",
        payment_method="Invoice",
        expiry_date=None if expires is None else today + timedelta(days=expires),
        next_renewal_date=None if renews is None else today + timedelta(days=renews),
    )
    db.session.flush()
    assert payment.state == state
    assert payment.status == ("incomplete" if state == "incomplete" else "complete")
    assert db.session.scalars(select(Product.name).join(PaymentInfo).where(PaymentInfo.state == state)).all()


def names_in_order():
    found = db.session.execute(queries.register())
    return [(row.status, row.service_name, row.product_name) for row in found]


def as_people_sort(rows):
    return sorted(rows, key=lambda row: (row[0] != "incomplete", row[1].lower(), row[2].lower()))


def test_register_is_in_its_order_whatever_is_renamed_or_moved(context, world):
    first = names_in_order()
    assert first == as_people_sort(first)
    slack = db.session.get_one(Service, world.services["Slack"])
    inventory.change_service(slack, name="aaa, the first")
    gmail = db.session.get_one(Product, world.products["Gmail"])
    inventory.change_product(gmail, name="zzz", service_id=slack.id)
    inventory.create_product(service_id=slack.id, name="Mmm")
    payment = queries.payment_of(world.products["Drive"])
    payments.change_payment(
        payment, amount="1", cardholder_name="A", expiry_date="2090-01-01", payment_method="Invoice"
    )
    db.session.flush()
    found = names_in_order()
    assert found == as_people_sort(found)
    assert [row[2] for row in found if row[1] == "aaa, the first"] == ["Mmm", "Slack Business", "zzz"]
    assert found[-1] == ("complete", "Google Workspace", "Drive")


def test_page_of_the_register_is_found_in_its_index(context, world, explained):
    db.session.execute(
        text(
            "INSERT INTO products (service_id, name, status, created_at, updated_at)"
            " SELECT :service, 'Part ' || n, 'active', now(), now() FROM generate_series(1, 3000) AS n"
        ),
        {"service": world.services["Slack"]},
    )
    db.session.execute(
        text(
            "INSERT INTO payment_infos (product_id, currency, created_at, updated_at)"
            " SELECT id, 'EUR', now(), now() FROM products WHERE name LIKE 'Part %'"
        )
    )
    db.session.execute(text("ANALYZE"))
    plans = explained(lambda: page_of(queries.register(), 70, 20))
    assert "ix_payment_infos_register" in plans[-1]
    assert "Sort Key: lower" not in plans[-1]
