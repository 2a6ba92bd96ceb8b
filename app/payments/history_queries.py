"""Reads of payments made. Of each chain of corrections the last entry counts, unless it voids."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import aliased, selectinload

from app.foundation import clock
from app.foundation.database import db
from app.payments import renewing
from app.payments.history_models import Invoice, PaymentMade

DAYS_A_MONTH = Decimal("30.436875")
MOST_FOR_PRICES = 500
# Beyond this, a period is a slip of somebody's hand, and the calendar ends.
LAST_YEAR = 9_000


def is_last() -> ColumnElement[bool]:
    """Nothing corrects it."""
    correction = aliased(PaymentMade)
    return ~exists().where(correction.corrects_id == PaymentMade.id)


def counts() -> ColumnElement[bool]:
    """It was really paid, as far as is known."""
    return and_(~PaymentMade.voids, is_last())


def correction_of(payment_id: int) -> PaymentMade | None:
    """What corrects a payment."""
    return db.session.scalar(select(PaymentMade).where(PaymentMade.corrects_id == payment_id))


def number_of(product_id: int) -> int:
    """How many entries a product has, corrections and what they correct included."""
    query = select(func.count()).select_from(PaymentMade).where(PaymentMade.product_id == product_id)
    return db.session.scalar(query) or 0


@dataclass(frozen=True)
class Chain:
    """A payment as it stands, and what was recorded before it, the newest first."""

    last: PaymentMade
    earlier: list[PaymentMade]

    @property
    def invoices(self) -> list[Invoice]:
        """Those of every entry, but not what was withdrawn."""
        return [one for one in self._files if one.withdrawn_at is None]

    @property
    def withdrawn(self) -> list[Invoice]:
        """Those that were attached by mistake."""
        return [one for one in self._files if one.withdrawn_at is not None]

    @property
    def _files(self) -> list[Invoice]:
        return [one for entry in (self.last, *self.earlier) for one in entry.invoices]

    @property
    def first_id(self) -> int:
        """Where it began."""
        return (self.earlier or [self.last])[-1].id


def chains_of(product_id: int, page: int, size: int) -> tuple[list[Chain], int]:
    """A page of what was paid for a product, the last day first, and how many there are."""
    rules = (PaymentMade.product_id == product_id, is_last())
    total = db.session.scalar(select(func.count()).select_from(PaymentMade).where(*rules)) or 0
    query = select(PaymentMade).where(*rules).options(selectinload(PaymentMade.invoices))
    query = query.order_by(PaymentMade.paid_on.desc(), PaymentMade.id.desc())
    lasts = db.session.scalars(query.limit(size).offset((page - 1) * size)).all()
    return _linked(lasts), total


def chain_of(payment: PaymentMade) -> Chain:
    """The whole chain that an entry is part of."""
    while (newer := correction_of(payment.id)) is not None:
        payment = newer
    return _linked([payment])[0]


def _linked(lasts: Sequence[PaymentMade]) -> list[Chain]:
    """One statement more for each step back that any of them has."""
    earlier: dict[int, list[PaymentMade]] = {one.id: [] for one in lasts}
    step = {one.corrects_id: one.id for one in lasts if one.corrects_id}
    while step:
        query = (
            select(PaymentMade).where(PaymentMade.id.in_(step)).options(selectinload(PaymentMade.invoices))
        )
        found = db.session.scalars(query).all()
        for one in found:
            earlier[step[one.id]].append(one)
        step = {one.corrects_id: step[one.id] for one in found if one.corrects_id}
    return [Chain(one, earlier[one.id]) for one in lasts]


def totals_of(product_id: int) -> list[Any]:
    """Rows of currency, total, last_year (the twelve months up to today), payments and last day, by currency."""
    a_year_ago = clock.today() - timedelta(days=365)
    query = select(
        PaymentMade.currency,
        func.sum(PaymentMade.amount).label("total"),
        func.coalesce(func.sum(PaymentMade.amount).filter(PaymentMade.paid_on > a_year_ago), 0).label(
            "last_year"
        ),
        func.count().label("payments"),
        func.max(PaymentMade.paid_on).label("last_on"),
    )
    query = query.where(PaymentMade.product_id == product_id, counts())
    return list(db.session.execute(query.group_by(PaymentMade.currency).order_by(PaymentMade.currency)))


@dataclass(frozen=True)
class PriceChange:
    """From `since` on it costs `price` instead of `before`, per month if the payments say what they were for."""

    since: date
    currency: str
    before: Decimal
    price: Decimal
    monthly: bool

    @property
    def percent(self) -> Decimal | None:
        """How much more, or less; None after a price of nothing."""
        return (self.price / self.before - 1) * 100 if self.before else None


def price_changes_of(product_id: int) -> list[PriceChange]:
    """The changes of price that the last 500 payments show, the newest first."""
    columns = (
        PaymentMade.currency,
        PaymentMade.amount,
        PaymentMade.paid_on,
        PaymentMade.period_start,
        PaymentMade.period_end,
    )
    query = select(*columns).where(PaymentMade.product_id == product_id, counts())
    query = query.order_by(PaymentMade.paid_on.desc(), PaymentMade.id.desc()).limit(MOST_FOR_PRICES)
    return price_changes(reversed(db.session.execute(query).all()))[::-1]


def price_changes(payments: Iterable[Any]) -> list[PriceChange]:
    """What changed from each payment to the next of its currency; a month and a year are compared by the month."""
    last: dict[tuple[str, bool], Decimal] = {}
    found = []
    for one in payments:
        months = months_of(one.period_start, one.period_end)
        price = round(one.amount / months, 2) if months else one.amount
        key = (one.currency, bool(months))
        before = last.get(key)
        if before is not None and before != price:
            since = one.period_start or one.paid_on
            found.append(PriceChange(since, one.currency, before, price, monthly=bool(months)))
        last[key] = price
    return found


def months_of(start: date | None, end: date | None) -> int:
    """How many months a period has, to the nearest; 0 for none or a shorter one."""
    if start is None or end is None:
        return 0
    return round(Decimal((end - start).days + 1) / DAYS_A_MONTH)


def period_after(payment: PaymentMade) -> tuple[date, date] | tuple[None, None]:
    """The period of as many months that follows the one of a payment; none where that has no months."""
    months = months_of(payment.period_start, payment.period_end)
    if payment.period_end is None or not months or payment.period_end.year > LAST_YEAR:
        return None, None
    starts = payment.period_end + timedelta(days=1)
    after = renewing.next_after(renewing.Plan(starts, starts.day, months, None), starts)
    return (starts, after - timedelta(days=1)) if after else (None, None)
