"""A day of a payment that people are reminded of: its name, and what is said of it."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from app.foundation.currencies import for_people
from app.foundation.references import LARGEST_KEY
from app.payments.agenda import Entry, Kind

MOST_NAMES = 3
_KEY = re.compile(rf"([1-9][0-9]{{0,9}})\.({'|'.join(Kind)})\.([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})", re.ASCII)


class Item(NamedTuple):
    """A product, which of its days, and when: once the day moves, it is another item."""

    product_id: int
    kind: str
    day: date

    def __str__(self) -> str:
        return f"{self.product_id}.{self.kind}.{self.day.isoformat()}"


def item_of(entry: Entry) -> Item:
    """What an entry of one product is about."""
    return Item(entry.things[0].product_id, entry.kind.value, entry.day)


def item_named(text: str) -> Item | None:
    """The item of this name; None for a text that names none."""
    found = _KEY.fullmatch(text)
    if found is None or int(found[1]) > LARGEST_KEY:
        return None
    try:
        return Item(int(found[1]), found[2], date.fromisoformat(found[3]))
    except ValueError:
        return None


def bundled(entries: Iterable[Entry]) -> list[list[Entry]]:
    """Entries in their order; those of one card that expires for several products are one bundle."""
    found: dict[Any, list[Entry]] = {}
    for entry in entries:
        card = (
            (entry.day, entry.method, entry.last4, entry.holder)
            if entry.kind is Kind.EXPIRY
            else item_of(entry)
        )
        found.setdefault(card, []).append(entry)
    return list(found.values())


def headline(bundle: Sequence[Entry], today: date, *, whole: bool) -> str:
    """What is coming, in a line, and when. Only whoever may read payments gets the whole: which card it is."""
    first, days = bundle[0], (bundle[0].day - today).days
    if first.kind is Kind.CANCEL_BY:
        said = subject(bundle, today, whole=whole)
        return said if days < 0 else f"{said} is {_when(days)}"
    return f"{subject(bundle, today, whole=whole)} {_when(days)}"


def subject(bundle: Sequence[Entry], today: date, *, whole: bool) -> str:
    """The same without when, for whoever reads that beside it."""
    first, names, is_over = bundle[0], _names(bundle), bundle[0].day < today
    if first.kind is Kind.CANCEL_BY:
        return f"Too late to cancel {names}" if is_over else f"The last day to cancel {names}"
    if first.kind is Kind.EXPIRY:
        card = first.title if whole else "The card" if first.last4 else "The means of payment"
        return f"{card} for {names} {'expired' if is_over else 'expires'}"
    if is_over:
        return f"{names} was to be renewed"
    return f"{names} renews" if first.auto_renew and first.frequency else f"{names} has to be renewed"


def detail(bundle: Sequence[Entry], *, whole: bool) -> str:
    """The day and, for whoever may read payments, how much it is."""
    first = bundle[0]
    parts = [_day(first.day)]
    if first.renewal:
        parts.append(f"renews on {_day(first.renewal)}")
    if whole and first.amount is not None:
        parts.append(for_people(first.amount, first.currency))
    return ", ".join(parts)


def _names(bundle: Sequence[Entry]) -> str:
    names = sorted((one.things[0].name for one in bundle), key=str.lower)
    if len(names) > MOST_NAMES:
        names = [*names[: MOST_NAMES - 1], f"{len(names) - MOST_NAMES + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _when(days: int) -> str:
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return near.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def _day(day: date) -> str:
    return f"{day:%-d %b %Y}"
