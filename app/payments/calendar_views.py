"""The calendar of renewals: a month, and the same as a list."""

import re
from calendar import Calendar
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access

from app.foundation import clock
from app.foundation.currencies import for_people
from app.foundation.errors import InvalidInput
from app.foundation.viewer import current_viewer
from app.payments import agenda
from app.payments.agenda import Entry, Kind
from app.payments.api import PAYMENT_VERBS
from app.payments.rates_queries import totals_in_company_currency

FIRST_YEAR, LAST_YEAR = 2000, 2199
MOST_OF_A_DAY = 12
MOST_OF_ONE_DAY = 500
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Shown:
    """What the address asks for: a month by its first day, or one day of it; one kind or all; mine or everybody's."""

    month: date
    day: date | None
    kind: Kind | None
    mine: bool

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Those that are shown."""
        return (self.kind,) if self.kind else tuple(Kind)

    @property
    def last(self) -> date:
        """The month's last day."""
        return next_month(self.month) - timedelta(days=1)


class RenewalsView(BaseView):
    """Whoever may read payments sees when they renew; the row rules say which."""

    route_base = "/renewals"
    class_permission_name = "PaymentInfo"
    base_permissions = PAYMENT_VERBS.permissions()
    method_permission_name = {"month": "read"}
    default_view = "month"

    @expose("/")
    @has_access
    def month(self) -> Any:
        """A month as a grid, and as a list for narrow screens and for those who want to know more."""
        today, shown = clock.today(), asked_for(request.args)
        weeks = Calendar().monthdatescalendar(shown.month.year, shown.month.month)
        viewer = current_viewer()
        owner = viewer.id if viewer and shown.mine else None
        found = agenda.entries(weeks[0][0], weeks[-1][-1], kinds=shown.kinds, owner_id=owner)
        is_now = shown.month == today.replace(day=1) and shown.kind in (None, Kind.RENEWAL)
        return self.render_template(
            "payments/calendar.html",
            title="Renewals",
            shown=shown,
            weeks=weeks,
            by_day=_by_day(found),
            days=_days_of_the_list(found, shown),
            most=MOST_OF_ONE_DAY if shown.day else MOST_OF_A_DAY,
            undecided=agenda.undecided(today, owner_id=owner) if is_now else [],
            sum_of_month=_sum_of(found, shown, today),
            before=None if shown.month <= date(FIRST_YEAR, 1, 1) else previous_month(shown.month),
            after=None if shown.month >= date(LAST_YEAR, 12, 1) else next_month(shown.month),
            for_people=for_people,
            Kind=Kind,
        )


def asked_for(args: Any) -> Shown:
    """The parameters of the address; InvalidInput names each that is nonsense."""
    faults, today = {}, clock.today()
    day = _day(args.get("day", ""))
    month = _month(args.get("month", "")) if args.get("month") else (day or today).replace(day=1)
    kind = args.get("kind", "")
    if args.get("day") and day is None:
        faults["day"] = "Enter a date as YYYY-MM-DD."
    if month is None:
        faults["month"] = f"Enter a month as YYYY-MM, from {FIRST_YEAR} to {LAST_YEAR}."
    if kind and kind not in set(Kind):
        faults["kind"] = f"Choose one of: {', '.join(Kind)}."
    if faults or month is None:
        raise InvalidInput("There is no such page of the calendar.", **faults)
    return Shown(month, day, Kind(kind) if kind else None, args.get("mine") == "1")


def next_month(first: date) -> date:
    """The first day of the month after."""
    return (first + timedelta(days=31)).replace(day=1)


def previous_month(first: date) -> date:
    """The first day of the month before."""
    return (first - timedelta(days=1)).replace(day=1)


def _month(text: str) -> date | None:
    found = _MONTH.fullmatch(text) if text.isascii() else None
    if found is None or not (FIRST_YEAR <= int(found[1]) <= LAST_YEAR and 1 <= int(found[2]) <= 12):
        return None
    return date(int(found[1]), int(found[2]), 1)


def _day(text: str) -> date | None:
    month = _month(text[:7])
    try:
        return date.fromisoformat(text) if month and len(text) == 10 else None
    except ValueError:
        return None


def _by_day(found: Iterable[Entry]) -> dict[date, list[Entry]]:
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for one in found:
        by_day[one.day].append(one)
    return dict(by_day)


def _days_of_the_list(found: Iterable[Entry], shown: Shown) -> dict[date, list[Entry]]:
    """The grid also holds days of the months around; the list does not."""
    first, last = (shown.day, shown.day) if shown.day else (shown.month, shown.last)
    return _by_day(one for one in found if first <= one.day <= last)


def _sum_of(found: Iterable[Entry], shown: Shown, today: date) -> dict[str, Any] | None:
    """What the month's renewals come to, at the rates of today or of the month's end if it is over."""
    renewals = [one for one in found if one.kind is Kind.RENEWAL and shown.month <= one.day <= shown.last]
    if not renewals:
        return None
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for one in renewals:
        if one.amount is not None:
            amounts[one.currency] += one.amount
    total = totals_in_company_currency(amounts, min(today, shown.last))
    return {"count": len(renewals), "unknown": sum(one.amount is None for one in renewals), "total": total}
