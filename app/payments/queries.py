"""Reads of the register. They select columns: the row rules hold, and no object is made for a row."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import outerjoin

from app.foundation import clock
from app.foundation.database import db
from app.foundation.paging import counted
from app.inventory.models import Product, Service
from app.payments.models import PaymentInfo
from app.payments.status import PaymentState


def register() -> Select[Any]:
    """Every product with its payment: incomplete first, then by service and product.

    A row has product_id, product_name, service_id, service_name, status, state, and what is known of the payment.
    """
    return _register(clock.today())


@lru_cache(maxsize=2)
def _register(_today: date) -> Select[Any]:
    """Built once a day: the states in it are those of its day."""
    payment: Any = PaymentInfo
    columns: list[Any] = [
        Product.id.label("product_id"),
        Product.name.label("product_name"),
        Service.id.label("service_id"),
        Service.name.label("service_name"),
        payment.status.label("status"),
        payment.state.label("state"),
        PaymentInfo.amount,
        PaymentInfo.currency,
        PaymentInfo.cardholder_name,
        PaymentInfo.card_last4,
        PaymentInfo.expiry_date,
        PaymentInfo.payment_method,
        PaymentInfo.renewal_frequency,
        PaymentInfo.next_renewal_date,
    ]
    # Outer joins, though nothing is missing: PostgreSQL leaves them out where only keys are sorted or rows counted.
    # One explicit join, because a count of it has no columns to find its left side by.
    tables = outerjoin(outerjoin(PaymentInfo, Product, PaymentInfo.product), Service, Product.service)
    query: Select[Any] = select(*columns).select_from(tables)
    return query.order_by(payment.is_complete, PaymentInfo.sort_key, PaymentInfo.product_id)


def register_row(product_id: int) -> Row[Any]:
    """One of them."""
    return db.session.execute(register().where(Product.id == product_id)).one()


def payment_of(product_id: int) -> PaymentInfo | None:
    """The payment of a product, if the viewer may see it."""
    return db.session.scalar(select(PaymentInfo).where(PaymentInfo.product_id == product_id))


def counts_by_state() -> dict[str, int]:
    """How many payments are in each state, none left out."""
    found = counted(_count_of_each_state(clock.today()))
    return dict(zip((state.value for state in PaymentState), found, strict=True))


@lru_cache(maxsize=2)
def _count_of_each_state(_today: date) -> Select[Any]:
    """Built once a day, as the states are those of its day."""
    payment: Any = PaymentInfo
    of_each = [func.count().filter(payment.state == state.value) for state in PaymentState]
    return select(array(of_each)).select_from(PaymentInfo)


def renewed_by(today: date) -> Sequence[PaymentInfo]:
    """Payments whose renewal is over and that go on by themselves, locked until the commit."""
    query = select(PaymentInfo).where(
        PaymentInfo.next_renewal_date < today,
        PaymentInfo.auto_renew,
        PaymentInfo.renewal_frequency != "one_off",
    )
    return db.session.scalars(query.order_by(PaymentInfo.id).with_for_update()).all()
