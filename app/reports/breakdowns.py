"""Lines of a report and what they come to. Amounts stay in their currencies; a sum over several rests on today's rates, or is not made."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.foundation import clock
from app.payments.rates_queries import RateBook, Total, rate_book

Amounts = dict[str, Decimal]


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


def of_months(name: str, months: list[date], rows: Iterable[Any]) -> Breakdown:
    """Every month has its line, also one without a payment."""
    found: dict[date, Amounts] = {month: {} for month in months}
    for month, currency, amount in rows:
        if month in found:
            found[month][currency] = found[month].get(currency, Decimal(0)) + amount
    return _broken_down(name, {f"{month:%b %Y}": amounts for month, amounts in found.items()})


def of_names(name: str, rows: Iterable[Any], people: dict[str, int] | None = None) -> Breakdown:
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
