"""The state of a payment: the same in Python and in SQL, and right at each border."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.foundation import clock
from app.foundation.database import db
from app.inventory.models import Product, Service
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
