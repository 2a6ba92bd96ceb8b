"""What was paid in the last twelve months and what is expected in the next, by month, service, department and method.

Everything is summed by PostgreSQL, in one statement for each breakdown: `ix_payments_made_paid_on` holds all it reads.
What is grouped by anything of a product is first summed by product, and gets its names last: both are far fewer rows.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import CTE, ColumnElement, Date, Select, cast, func, select
from sqlalchemy.orm import aliased

from app.directory.models import Department, Person
from app.foundation import clock
from app.foundation.database import db
from app.inventory.models import AccessGrant, Product, Service
from app.payments import renewing
from app.payments.filters import RegisterFilter, used_in
from app.payments.history_models import PaymentMade
from app.payments.models import PaymentInfo
from app.reports.breakdowns import Breakdown, of_months, of_names

UNKNOWN_METHOD = "Not known"
NOBODYS = "Nobody has access"
NO_DEPARTMENT = "No department"
# Of the register's filters those that say something of a payment made too.
NARROWED_BY = ("service", "department", "method", "currency")
EVERYTHING = RegisterFilter()


def months_around(today: date) -> tuple[list[date], list[date]]:
    """The first days of this month and the eleven before it; of this month and the eleven after it."""
    number = today.year * 12 + today.month - 1
    months = [date(one // 12, one % 12 + 1, 1) for one in range(number - 11, number + 13)]
    return months[:12], months[11:23]


def by_month(chosen: RegisterFilter = EVERYTHING) -> Breakdown:
    """What was paid in each of the last twelve months, this one included."""
    months, _ = months_around(clock.today())
    days = (
        select(PaymentMade.paid_on, PaymentMade.currency, func.sum(PaymentMade.amount).label("amount"))
        .where(*_counted(chosen))
        .group_by(PaymentMade.paid_on, PaymentMade.currency)
        .subquery()
    )
    month = cast(func.date_trunc("month", days.c.paid_on), Date)
    found = select(month, days.c.currency, func.sum(days.c.amount)).group_by(month, days.c.currency)
    return of_months("months", months, db.session.execute(found))


def expected(chosen: RegisterFilter = EVERYTHING) -> Breakdown:
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
    query = query.where(*_narrowed(chosen, PaymentInfo, PaymentInfo.payment_method))
    found = []
    for row in db.session.execute(query):
        plan = renewing.plan_of(row)
        if plan is not None:
            coming = renewing.expected_by_month(plan, row.amount, today, last)
            found += [(month, row.currency, amount) for month, amount in coming.items()]
    return of_months("expected", months, found)


def by_method(chosen: RegisterFilter = EVERYTHING) -> Breakdown:
    """With what was paid in the last twelve months."""
    query = (
        select(PaymentMade.method, PaymentMade.currency, func.sum(PaymentMade.amount))
        .where(*_counted(chosen))
        .group_by(PaymentMade.method, PaymentMade.currency)
    )
    return of_names("methods", ((row[0] or UNKNOWN_METHOD, *row[1:]) for row in db.session.execute(query)))


def by_service(chosen: RegisterFilter = EVERYTHING) -> Breakdown:
    """For which services it was paid."""
    return of_names("services", db.session.execute(_services(chosen)))


def by_person(chosen: RegisterFilter = EVERYTHING) -> Breakdown:
    """The same, with how many people have access to something of each service now."""
    users = (
        select(Product.service_id, AccessGrant.person_id)
        .join(AccessGrant, AccessGrant.product_id == Product.id)
        .where(AccessGrant.ended_at.is_(None))
        .distinct()
        .subquery()
    )
    counted = select(users.c.service_id, func.count().label("people")).group_by(users.c.service_id).subquery()
    query = select(Service.name, counted.c.people).join(counted, counted.c.service_id == Service.id)
    people: dict[str, int] = {row[0]: row[1] for row in db.session.execute(query)}
    return of_names("people", db.session.execute(_services(chosen)), people)


def by_department(chosen: RegisterFilter = EVERYTHING) -> Breakdown:
    """For whom it was paid: what a product cost is shared by the people who have access to it now, each in a department."""
    shares = _shares(chosen)
    open_grant = (AccessGrant.product_id == shares.c.product_id) & AccessGrant.ended_at.is_(None)
    shared = (
        select(
            Person.department_id,
            shares.c.unused,
            shares.c.currency,
            func.sum(shares.c.amount).label("amount"),
        )
        .select_from(shares)
        .outerjoin(AccessGrant, open_grant)
        .outerjoin(Person, Person.id == AccessGrant.person_id)
        .group_by(Person.department_id, shares.c.unused, shares.c.currency)
        .subquery()
    )
    query = select(Department.name, shared.c.unused, shared.c.currency, shared.c.amount).select_from(shared)
    query = query.outerjoin(Department, Department.id == shared.c.department_id)
    rows = db.session.execute(query)
    named = ((row[0] or (NOBODYS if row[1] else NO_DEPARTMENT), *row[2:]) for row in rows)
    return of_names("departments", named)


BREAKDOWNS: dict[str, Callable[[RegisterFilter], Breakdown]] = {
    "months": by_month,
    "expected": expected,
    "services": by_service,
    "departments": by_department,
    "methods": by_method,
    "people": by_person,
}


def _counted(chosen: RegisterFilter) -> list[ColumnElement[bool]]:
    """Payments of the twelve months that count, neither corrected nor void, and fit the filter.

    The few that are corrected are looked up in a hash of their keys, which costs less here than a join.
    """
    correction = aliased(PaymentMade)
    corrected = select(correction.corrects_id).where(correction.corrects_id.is_not(None))
    first = months_around(clock.today())[0][0]
    rules = [PaymentMade.paid_on >= first, ~PaymentMade.voids, PaymentMade.id.not_in(corrected)]
    return [*rules, *_narrowed(chosen, PaymentMade, PaymentMade.method)]


def _narrowed(chosen: RegisterFilter, table: Any, method: Any) -> list[ColumnElement[bool]]:
    """The filter as conditions on payments made, or on those of the register."""
    rules: list[ColumnElement[bool]] = []
    if chosen.service is not None:
        rules.append(table.product_id.in_(select(Product.id).where(Product.service_id == chosen.service)))
    if chosen.department is not None:
        rules.append(table.product_id.in_(used_in(chosen.department)))
    if chosen.method is not None:
        rules.append(method == chosen.method)
    if chosen.currency is not None:
        rules.append(table.currency == chosen.currency)
    return rules


def _of_products(chosen: RegisterFilter) -> CTE:
    """What was paid for each product, by currency."""
    query = select(PaymentMade.product_id, PaymentMade.currency, func.sum(PaymentMade.amount).label("amount"))
    query = query.where(*_counted(chosen)).group_by(PaymentMade.product_id, PaymentMade.currency)
    return query.cte("spent")


def _shares(chosen: RegisterFilter) -> CTE:
    """What each of a product's people costs; all of it where nobody has access. Divided once for all of them."""
    spent = _of_products(chosen)
    users = (
        select(AccessGrant.product_id, func.count().label("people"))
        .where(AccessGrant.ended_at.is_(None))
        .group_by(AccessGrant.product_id)
        .subquery()
    )
    each = select(
        spent.c.product_id,
        spent.c.currency,
        users.c.product_id.is_(None).label("unused"),
        (spent.c.amount / func.coalesce(users.c.people, 1)).label("amount"),
    )
    each = each.select_from(spent).outerjoin(users, users.c.product_id == spent.c.product_id)
    return each.cte("shares").prefix_with("MATERIALIZED")


def _services(chosen: RegisterFilter) -> Select[Any]:
    spent = _of_products(chosen)
    summed = (
        select(Product.service_id, spent.c.currency, func.sum(spent.c.amount).label("amount"))
        .join(spent, spent.c.product_id == Product.id)
        .group_by(Product.service_id, spent.c.currency)
        .subquery()
    )
    query = select(Service.name, summed.c.currency, summed.c.amount)
    return query.join(summed, summed.c.service_id == Service.id)
