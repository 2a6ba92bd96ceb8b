"""The verbs of exchange rates, and what a rate may be."""

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.foundation import clock
from app.foundation.database import assign, db
from app.foundation.errors import InvalidInput
from app.payments import terms
from app.payments.access import must_be_admin
from app.payments.models import companys_currency
from app.payments.rates_models import LARGEST_RATE, RATE_DIGITS, ExchangeRate

FURTHEST = timedelta(days=366)

_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,30})?")


def create_rate(*, currency: str | None, day: Any, rate: Any) -> ExchangeRate:
    """A rate from a day on. InvalidInput names every field that does not fit; a second one of a day is a Conflict."""
    must_be_admin()
    row = ExchangeRate(**cleaned({"currency": currency, "day": day, "rate": rate}))
    db.session.add(row)
    db.session.flush()
    return row


def change_rate(row: ExchangeRate, **fields: Any) -> ExchangeRate:
    """Correct what was written down."""
    must_be_admin()
    assign(row, cleaned(fields), ("currency", "day", "rate"))
    db.session.flush()
    return row


def remove_rate(row: ExchangeRate) -> None:
    """Take a rate back: the one before it holds again."""
    must_be_admin()
    db.session.delete(row)
    db.session.flush()


def cleaned(fields: dict[str, Any]) -> dict[str, Any]:
    """Fields of a rate as they are kept. InvalidInput with a message for each that can't be kept."""
    spellings = {"currency": foreign_currency, "day": day_of_rate, "rate": rate_of}
    clean, faults = {}, {}
    for name, value in fields.items():
        if name not in spellings:
            continue
        try:
            clean[name] = spellings[name](value)
        except ValueError as error:
            faults[name] = str(error)
    if faults:
        raise InvalidInput("Some fields are not valid.", **faults)
    return clean


def foreign_currency(value: Any) -> str:
    """A currency's code that is not the company's. ValueError with words for people, as in `terms`."""
    code = terms.currency_named(str(value or ""))
    if code == companys_currency():
        raise ValueError(f"{code} is the company's own currency; its rate is always 1.")
    return code


def day_of_rate(value: Any) -> date:
    """A day, at most a year ahead: rates of a budget are known before their time, rates of the year 2206 are not."""
    day = terms.day_of(value)
    if day > clock.today() + FURTHEST:
        raise ValueError("Choose a day up to a year from now.")
    return day


def rate_of(value: Any) -> Decimal:
    """What one unit is worth in the company's currency."""
    text = str(value).strip()
    if isinstance(value, bool) or not _RATE.fullmatch(text):
        raise ValueError("Enter a number above 0 with a point, such as 1.0842.")
    rate = Decimal(text)
    if not 0 < rate <= LARGEST_RATE:
        raise ValueError(f"Enter a rate above 0, up to {LARGEST_RATE:,}.")
    if rate != round(rate, RATE_DIGITS):
        raise ValueError(f"At most {RATE_DIGITS} digits after the point.")
    return rate
