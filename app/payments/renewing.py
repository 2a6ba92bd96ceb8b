"""When payments renew, and until when they can be cancelled: date arithmetic that asks no database.

Renewals fall on one day of the month, and where a month is too short on its last: 31 January, 28 February, 31 March.
A payment that does not renew by itself, or only once, has just the renewal that was written down.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
_EVERY = re.compile(r"every_([1-9][0-9]*)_months")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is known of a payment's renewals: the coming one, the day of the month they fall on, the months between two.

    Without `months` there is but the coming one; without `notice_days` nobody knows until when it can be cancelled.
    """

    coming: date
    day: int
    months: int | None
    notice_days: int | None


@dataclass(frozen=True, slots=True)
class Renewal:
    """A renewal, and the last day on which it can be cancelled."""

    day: date
    cancel_by: date


def plan_of(payment: Any) -> Plan | None:
    """The plan in a payment, or in a row of its columns; None as long as no renewal is known."""
    coming = payment.next_renewal_date
    if coming is None:
        return None
    months = months_of(payment.renewal_frequency) if payment.auto_renew else None
    notice = payment.notice_days if payment.auto_renew and payment.renewal_frequency != "one_off" else None
    return Plan(coming, anchor_of(coming, payment.renewal_day), months, notice)


def after_paying(payment: Any) -> date | None:
    """The renewal after the coming one, which somebody pays now; also where it does not renew by itself.

    None as long as nobody knows when it renews and how often.
    """
    coming, months = payment.next_renewal_date, months_of(payment.renewal_frequency)
    if coming is None or months is None:
        return None
    return next_after(Plan(coming, anchor_of(coming, payment.renewal_day), months, None), coming)


def months_of(frequency: str | None) -> int | None:
    """The months between two renewals; None for a payment that is made once, or nobody knows how often."""
    every = _EVERY.fullmatch(frequency or "")
    return int(every[1]) if every else _MONTHS.get(frequency or "")


def anchor_of(coming: date, kept: int | None) -> int:
    """The day of the month that renewals fall on; `kept` is the one that was remembered when a month was too short."""
    return kept if kept and _in_month(coming.year, coming.month, kept) == coming else coming.day


def day_to_keep(coming: date | None, anchor: int | None) -> int | None:
    """The day of the month to remember beside a date: an anchor that the date's month is too short for, else None."""
    short = coming and anchor and anchor > coming.day
    return anchor if coming and short and anchor_of(coming, anchor) == anchor else None


def renewals(plan: Plan, first: date, last: date) -> Iterator[date]:
    """Those from the first to the last day, both included; never one before the coming one."""
    day = next_from(plan, first)
    while day is not None and day <= last:
        yield day
        day = next_after(plan, day)


def next_from(plan: Plan, day: date) -> date | None:
    """The first renewal on or after a day."""
    if day <= plan.coming:
        return plan.coming
    if plan.months is None:
        return None
    between = (day.year - plan.coming.year) * 12 + day.month - plan.coming.month
    number = between // plan.months
    found = _nth(plan, number)
    return found if found is None or found >= day else _nth(plan, number + 1)


def next_after(plan: Plan, day: date) -> date | None:
    """The first renewal after a day."""
    return next_from(plan, day + timedelta(days=1)) if day < date.max else None


def cancel_bys(plan: Plan, first: date, last: date) -> Iterator[Renewal]:
    """Renewals whose last day to cancel is in a period, both ends included."""
    if plan.notice_days is None:
        return
    notice = timedelta(days=plan.notice_days)
    for day in renewals(plan, first + notice, last + notice):
        yield Renewal(day, day - notice)


def still_cancellable(plan: Plan, today: date) -> Renewal | None:
    """The next renewal that can be cancelled. Once it is too late for the coming one, that is one after it."""
    if plan.notice_days is None:
        return None
    notice = timedelta(days=plan.notice_days)
    day = next_from(plan, today + notice)
    return None if day is None else Renewal(day, day - notice)


def expected(plan: Plan, amount: Decimal, first: date, last: date) -> Decimal:
    """What will be paid in a period, in the payment's currency."""
    return amount * sum(1 for _ in renewals(plan, first, last))


def expected_by_month(plan: Plan, amount: Decimal, first: date, last: date) -> dict[date, Decimal]:
    """The same by month, each named by its first day; months in which nothing renews are left out."""
    found: dict[date, Decimal] = {}
    for day in renewals(plan, first, last):
        month = day.replace(day=1)
        found[month] = found.get(month, Decimal(0)) + amount
    return found


def _nth(plan: Plan, number: int) -> date | None:
    """So many renewals after the coming one; None beyond the end of the calendar."""
    months = plan.coming.year * 12 + plan.coming.month - 1 + number * (plan.months or 0)
    return _in_month(months // 12, months % 12 + 1, plan.day) if months // 12 <= date.max.year else None


def _in_month(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))
