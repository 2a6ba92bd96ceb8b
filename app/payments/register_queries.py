"""What the page of the register shows: a page of rows, how many are in which state, what they come to."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, case, func, not_, select

from app.foundation import clock
from app.foundation.currencies import decimals_of
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.inventory.models import Product, Service
from app.payments import queries
from app.payments.filters import RegisterFilter
from app.payments.models import PaymentInfo
from app.payments.rates_queries import Total, rate_book
from app.payments.renewing import months_of
from app.payments.status import PaymentState, is_complete_in_sql

PAGE = 50
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RegisterOrder:
    """By one column; without one as `queries.register` has it, incomplete first."""

    column: str | None = None
    descending: bool = False

    @classmethod
    def parse(cls, text: str) -> "RegisterOrder":
        """From `expiry_date`, or `-amount` for the largest first. InvalidInput for any other column."""
        name = text.strip().removeprefix("-")
        if name and name not in _sortable():
            raise InvalidInput(sort=f"The register can be sorted by: {', '.join(_sortable())}.")
        return cls(name or None, text.strip().startswith("-"))

    def apply(self, query: Select[Any]) -> Select[Any]:
        """Order the rows; what is not known comes last either way."""
        if self.column is None:
            return query
        column = _sortable()[self.column]
        first = (column.desc() if self.descending else column.asc()).nulls_last()
        return query.order_by(None).order_by(
            first, func.lower(Service.name), func.lower(Product.name), Product.id
        )

    def __str__(self) -> str:
        return f"{'-' if self.descending else ''}{self.column or ''}"


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """What payments in one currency come to: the next time each is paid, and in a year as often as each is paid."""

    currency: str
    count: int
    amount: Decimal
    per_year: Decimal


def _sortable() -> dict[str, Any]:
    payment: Any = PaymentInfo
    urgency = case(*((payment.state == state.value, rank) for rank, state in enumerate(PaymentState)))
    return {
        "product": func.lower(Product.name),
        "service": func.lower(Service.name),
        "state": urgency,
        "amount": PaymentInfo.amount,
        "currency": PaymentInfo.currency,
        "payment_method": func.lower(PaymentInfo.payment_method),
        "cardholder_name": func.lower(PaymentInfo.cardholder_name),
        "card_last4": PaymentInfo.card_last4,
        "expiry_date": PaymentInfo.expiry_date,
        "renewal_frequency": PaymentInfo.renewal_frequency,
        "next_renewal_date": PaymentInfo.next_renewal_date,
    }


def rows_of_page() -> Select[Any]:
    """The register's rows with what only its page needs: the payment's key, and when it was last changed."""
    return queries.register().add_columns(
        PaymentInfo.id.label("payment_id"),
        PaymentInfo.auto_renew,
        PaymentInfo.notice_days,
        PaymentInfo.updated_at,
    )


def page(chosen: RegisterFilter, order: RegisterOrder, number: int) -> list[Row[Any]]:
    """The rows of a page; pages count from 1."""
    query = order.apply(chosen.apply(rows_of_page()))
    return list(db.session.execute(query.limit(PAGE).offset((number - 1) * PAGE)))


def row_of(payment_id: int) -> Row[Any]:
    """One row, as the page shows it."""
    return db.session.execute(rows_of_page().where(PaymentInfo.id == payment_id)).one()


def rows_of(payment_ids: list[int]) -> list[Row[Any]]:
    """These rows, as far as the viewer may see them, in the register's order."""
    return list(db.session.execute(rows_of_page().where(PaymentInfo.id.in_(payment_ids))))


def ids_of(chosen: RegisterFilter) -> list[int]:
    """The payments that fit. InvalidInput if there are more than can be changed at once."""
    query = chosen.apply(queries.register()).with_only_columns(PaymentInfo.id, maintain_column_froms=True)
    found = list(db.session.scalars(query.limit(MOST_AT_ONCE + 1)))
    if len(found) > MOST_AT_ONCE:
        raise InvalidInput(f"At most {MOST_AT_ONCE} payments can be changed at once. Filter for fewer.")
    return found


def counts_by_state(chosen: RegisterFilter) -> dict[str, int]:
    """How many of what fits the rest of the filter are in each state, none left out."""
    payment: Any = PaymentInfo
    query = _of_matching(replace(chosen, state=None), payment.state.label("state"), func.count()).group_by(
        "state"
    )
    found = {row[0]: row[1] for row in db.session.execute(query)}
    return {state.value: found.get(state.value, 0) for state in PaymentState}


def totals(chosen: RegisterFilter) -> list[CurrencyTotal]:
    """What fits the filter and has an amount, by currency; the most used first."""
    columns = (PaymentInfo.currency, PaymentInfo.renewal_frequency)
    query = _of_matching(chosen, *columns, func.count(), func.sum(PaymentInfo.amount))
    query = query.where(PaymentInfo.amount.is_not(None)).group_by(*columns)
    found: dict[str, CurrencyTotal] = {}
    for currency, frequency, count, amount in db.session.execute(query):
        so_far = found.get(currency, CurrencyTotal(currency, 0, Decimal(0), Decimal(0)))
        found[currency] = CurrencyTotal(
            currency,
            so_far.count + count,
            so_far.amount + amount,
            so_far.per_year + round(amount * times_a_year(frequency), decimals_of(currency)),
        )
    return sorted(found.values(), key=lambda one: (-one.count, one.currency))


def times_a_year(frequency: str | None) -> Decimal:
    """How often a year something is paid; what is paid once, or nobody knows how often, not at all."""
    months = months_of(frequency)
    return Decimal(12) / months if months else Decimal(0)


def in_company_currency(of: list[CurrencyTotal]) -> tuple[Total, Total]:
    """The same in one sum at today's rates: the next time each is paid, and in a year. One statement at most."""
    today = clock.today()
    book = rate_book([one.currency for one in of], today, today)
    once, in_a_year = ({one.currency: getattr(one, name) for one in of} for name in ("amount", "per_year"))
    return book.total(once, today), book.total(in_a_year, today)


def in_use() -> tuple[list[str], list[str]]:
    """The methods and the currencies that payments have, each by name."""
    pairs = db.session.execute(select(PaymentInfo.payment_method, PaymentInfo.currency).distinct()).all()
    methods = {row[0] for row in pairs if row[0] is not None}
    return sorted(methods, key=str.lower), sorted({row[1] for row in pairs})


# How many payments still miss something.
INCOMPLETE_COUNT = select(func.count(PaymentInfo.id)).where(not_(is_complete_in_sql(PaymentInfo)))


def incomplete_count() -> int:
    """The number in the navigation."""
    return db.session.scalar(INCOMPLETE_COUNT) or 0


def _of_matching(chosen: RegisterFilter, *columns: Any) -> Select[Any]:
    query = chosen.apply(queries.register()).order_by(None)
    return query.with_only_columns(*columns, maintain_column_froms=True)
