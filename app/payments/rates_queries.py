"""Sums over several currencies, with the rates that they rest on. Without a rate there is no sum, never a guess."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.foundation.currencies import decimals_of
from app.foundation.database import db
from app.payments.models import companys_currency
from app.payments.rates_models import ExchangeRate

ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Converted:
    """What one currency adds to a sum. `day` is since when the rate has held; the company's own currency has none."""

    currency: str
    amount: Decimal
    rate: Decimal
    day: date | None
    converted: Decimal


@dataclass(frozen=True, slots=True)
class Total:
    """A sum in the company's currency; None as long as a rate is `missing`.

    Each currency is rounded to the digits of the company's before the sum is made, so that what is shown adds up.
    """

    currency: str
    amount: Decimal | None
    parts: tuple[Converted, ...]
    missing: tuple[str, ...]


class RateBook:
    """The rates of some currencies over some time, in memory: asked for any day, it issues no statement."""

    def __init__(self, currency: str, rows: Iterable[tuple[str, date, Decimal]]) -> None:
        """`rows` are currency, day and rate, each currency by day."""
        self.currency = currency
        self._days: dict[str, list[date]] = defaultdict(list)
        self._rates: dict[str, list[Decimal]] = defaultdict(list)
        for code, day, rate in rows:
            self._days[code].append(day)
            self._rates[code].append(rate)

    def rate_on(self, currency: str, day: date) -> tuple[Decimal, date | None] | None:
        """The rate that holds on a day, and since when; None if none was written down by then."""
        if currency == self.currency:
            return ONE, None
        days = self._days.get(currency, [])
        place = bisect_right(days, day) - 1
        return (self._rates[currency][place], days[place]) if place >= 0 else None

    def total(self, amounts: Mapping[str, Decimal], day: date) -> Total:
        """The sum of amounts by currency at the rates of a day."""
        digits = Decimal(1).scaleb(-decimals_of(self.currency))
        parts, missing = [], []
        for code in sorted(amounts, key=lambda code: (code != self.currency, code)):
            found = self.rate_on(code, day)
            if found is None:
                missing.append(code)
            else:
                value = (amounts[code] * found[0]).quantize(digits, ROUND_HALF_UP)
                parts.append(Converted(code, amounts[code], *found, value))
        whole = None if missing else sum((part.converted for part in parts), Decimal(0))
        return Total(self.currency, whole, tuple(parts), tuple(missing))


def totals_in_company_currency(amounts: Mapping[str, Decimal], on: date) -> Total:
    """The sum of amounts by currency at the rates of a day: at most one statement. See `rate_book` for many days."""
    return rate_book(amounts, on, on).total(amounts, on)


def rate_book(currencies: Iterable[str], first: date, last: date) -> RateBook:
    """What holds of these currencies from the first to the last day: at most one statement."""
    own = companys_currency()
    wanted = sorted(set(currencies) - {own})
    if not wanted:
        return RateBook(own, ())
    earlier = aliased(ExchangeRate)
    since = (
        select(func.max(earlier.day))
        .where(
            earlier.currency == ExchangeRate.currency, earlier.company_currency == own, earlier.day <= first
        )
        .scalar_subquery()
    )
    query = (
        select(ExchangeRate.currency, ExchangeRate.day, ExchangeRate.rate)
        .where(ExchangeRate.company_currency == own, ExchangeRate.currency.in_(wanted))
        .where(ExchangeRate.day <= last, ExchangeRate.day >= func.coalesce(since, first))
        .order_by(ExchangeRate.currency, ExchangeRate.day)
    )
    return RateBook(own, [(row[0], row[1], row[2]) for row in db.session.execute(query)])
