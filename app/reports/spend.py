"""What was paid in the last twelve months and what is expected in the next, by month, service, department and method.

Everything is summed by PostgreSQL, in one statement for each breakdown: `ix_payments_made_paid_on` holds all it reads.
Amounts stay in their currencies; a sum over several rests on the rates of today, or is not made.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Numeric, cast, func, select
from sqlalchemy.orm import aliased

from app.directory.models import Department, Person
from app.foundation import clock
from app.foundation.database import db
from app.inventory.models import AccessGrant, Product, Service
from app.payments import renewing
from app.payments.history_models import PaymentMade
from app.payments.models import PaymentInfo
from app.payments.rates_queries import RateBook, Total, rate_book

Amounts = dict[str, Decimal]
UNKNOWN_METHOD = "Not known"
NOBODYS = "Nobody has access"
NO_DEPARTMENT = "No department"


@dataclass(frozen=True)
class Line:
    """One bar and one row. `people` are those with access, where it is asked how much each of them costs."""

    label: str
    amounts: Amounts
    total: Decimal | None
    people: int | None = None

    def each(self, amount: Decimal | None) -> Decimal | None:
        """How much that is for each person with access."""
        return amount / self.people if amount is not None and self.people else None


@dataclass(frozen=True)
class Breakdown:
    """Lines, and what all of them come to in the company's currency, with the rates it rests on or those it misses."""

    name: str
    lines: list[Line]
    amounts: Amounts
    total: Total


def months_around(today: date) -> tuple[list[date], list[date]]:
    """The first days of this month and the eleven before it; of this month and the eleven after it."""
    number = today.year * 12 + today.month - 1
    months = [date(one // 12, one % 12 + 1, 1) for one in range(number - 11, number + 13)]
    return months[:12], months[11:23]


def by_month() -> Breakdown:
    """What was paid in each of the last twelve months, this one included."""
    today = clock.today()
    months, _ = months_around(today)
    days = (
        select(PaymentMade.paid_on, PaymentMade.currency, func.sum(PaymentMade.amount).label("amount"))
        .where(*_counted(today))
        .group_by(PaymentMade.paid_on, PaymentMade.currency)
        .subquery()
    )
    month = cast(func.date_trunc("month", days.c.paid_on), Date)
    found = select(month, days.c.currency, func.sum(days.c.amount)).group_by(month, days.c.currency)
    return _of_months("months", months, db.session.execute(found))


def expected() -> Breakdown:
    """What the renewals of this month, from today on, and of the eleven after it will cost at the prices of today.

    Payments that renew on the same days are summed first: there are far fewer days than products.
    """
    today = clock.today()
    _, months = months_around(today)
    last = date(months[-1].year + months[-1].month // 12, months[-1].month % 12 + 1, 1)
    columns = (
        PaymentInfo.next_renewal_date,
        PaymentInfo.renewal_day,
        PaymentInfo.renewal_frequency,
        PaymentInfo.auto_renew,
        PaymentInfo.notice_days,
        PaymentInfo.currency,
    )
    query = select(*columns, func.sum(PaymentInfo.amount).label("amount")).group_by(*columns)
    query = query.where(PaymentInfo.amount > 0, PaymentInfo.next_renewal_date < last)
    found = []
    for row in db.session.execute(query):
        plan = renewing.plan_of(row)
        if plan is not None:
            coming = renewing.expected_by_month(plan, row.amount, today, last)
            found += [(month, row.currency, amount) for month, amount in coming.items()]
    return _of_months("expected", months, found)


def by_method() -> Breakdown:
    """With what was paid in the last twelve months."""
    query = (
        select(PaymentMade.method, PaymentMade.currency, func.sum(PaymentMade.amount))
        .where(*_counted(clock.today()))
        .group_by(PaymentMade.method, PaymentMade.currency)
    )
    return _of_names("methods", ((row[0] or UNKNOWN_METHOD, *row[1:]) for row in db.session.execute(query)))


def by_service() -> Breakdown:
    """For which services it was paid."""
    return _of_names("services", db.session.execute(_services()))


def by_person() -> Breakdown:
    """The same, with how many people have access to something of each service now."""
    query = (
        select(Service.name, func.count(AccessGrant.person_id.distinct()))
        .join(Product, Product.service_id == Service.id)
        .join(AccessGrant, AccessGrant.product_id == Product.id)
        .where(AccessGrant.ended_at.is_(None))
        .group_by(Service.id)
    )
    people: dict[str, int] = {row[0]: row[1] for row in db.session.execute(query)}
    return _of_names("people", db.session.execute(_services()), people)


def by_department() -> Breakdown:
    """For whom it was paid: what a product cost is shared by the people who have access to it now, each in a department."""
    spent = _of_products()
    open_grant = AccessGrant.ended_at.is_(None)
    users = (
        select(AccessGrant.product_id, func.count().label("people"))
        .where(open_grant)
        .group_by(AccessGrant.product_id)
        .subquery()
    )
    shares = (
        select(AccessGrant.product_id, Person.department_id, func.count().label("people"))
        .join(Person, Person.id == AccessGrant.person_id)
        .where(open_grant)
        .group_by(AccessGrant.product_id, Person.department_id)
        .subquery()
    )
    share = cast(func.coalesce(shares.c.people, 1), Numeric) / func.coalesce(users.c.people, 1)
    shared = (
        select(
            shares.c.department_id,
            users.c.product_id.is_(None).label("unused"),
            spent.c.currency,
            func.sum(spent.c.amount * share).label("amount"),
        )
        .select_from(spent)
        .outerjoin(users, users.c.product_id == spent.c.product_id)
        .outerjoin(shares, shares.c.product_id == spent.c.product_id)
        .group_by(shares.c.department_id, "unused", spent.c.currency)
        .subquery()
    )
    query = select(Department.name, shared.c.unused, shared.c.currency, shared.c.amount).select_from(shared)
    query = query.outerjoin(Department, Department.id == shared.c.department_id)
    rows = db.session.execute(query)
    named = ((row[0] or (NOBODYS if row[1] else NO_DEPARTMENT), *row[2:]) for row in rows)
    return _of_names("departments", named)


BREAKDOWNS: dict[str, Callable[[], Breakdown]] = {
    "months": by_month,
    "expected": expected,
    "services": by_service,
    "departments": by_department,
    "methods": by_method,
    "people": by_person,
}


def _counted(today: date) -> tuple[ColumnElement[bool], ...]:
    """Payments of the twelve months that count: neither corrected nor void.

    The few that are corrected are looked up in a hash of their keys, which costs less here than a join.
    """
    correction = aliased(PaymentMade)
    corrected = select(correction.corrects_id).where(correction.corrects_id.is_not(None))
    first = months_around(today)[0][0]
    return PaymentMade.paid_on >= first, ~PaymentMade.voids, PaymentMade.id.not_in(corrected)


def _of_products() -> CTE:
    """What was paid for each product, by currency."""
    query = select(PaymentMade.product_id, PaymentMade.currency, func.sum(PaymentMade.amount).label("amount"))
    query = query.where(*_counted(clock.today())).group_by(PaymentMade.product_id, PaymentMade.currency)
    return query.cte("spent")


def _services() -> Any:
    spent = _of_products()
    return (
        select(Service.name, spent.c.currency, func.sum(spent.c.amount))
        .select_from(spent)
        .join(Product, Product.id == spent.c.product_id)
        .join(Service, Service.id == Product.service_id)
        .group_by(Service.id, spent.c.currency)
    )


def _of_months(name: str, months: list[date], rows: Iterable[Any]) -> Breakdown:
    """Every month has its line, also one without a payment."""
    found: dict[date, Amounts] = {month: {} for month in months}
    for month, currency, amount in rows:
        if month in found:
            found[month][currency] = found[month].get(currency, Decimal(0)) + amount
    return _broken_down(name, {f"{month:%b %Y}": amounts for month, amounts in found.items()})


def _of_names(name: str, rows: Iterable[Any], people: dict[str, int] | None = None) -> Breakdown:
    """The dearest first."""
    found: dict[str, Amounts] = defaultdict(dict)
    for label, currency, amount in rows:
        found[label][currency] = found[label].get(currency, Decimal(0)) + amount
    made = _broken_down(name, found, people)

    def size(line: Line) -> Decimal:
        whole = line.total if line.total is not None else max(line.amounts.values())
        return whole if people is None else line.each(whole) or Decimal(0)

    made.lines.sort(key=lambda line: (-size(line), line.label))
    return made


def _broken_down(name: str, found: dict[str, Amounts], people: dict[str, int] | None = None) -> Breakdown:
    today = clock.today()
    whole: Amounts = defaultdict(Decimal)
    for amounts in found.values():
        for currency, amount in amounts.items():
            whole[currency] += amount
    book: RateBook = rate_book(whole, today, today)
    total = book.total(whole, today)

    def line(label: str, amounts: Amounts) -> Line:
        worth = book.total(amounts, today).amount if not total.missing else None
        return Line(label, amounts, worth, people.get(label, 0) if people is not None else None)

    return Breakdown(name, [line(*one) for one in found.items()], dict(sorted(whole.items())), total)
