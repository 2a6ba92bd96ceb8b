"""Rates are written down one by one, or read from a CSV file that is taken as a whole or not at all."""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, tuple_

from app.audit import recorder
from app.foundation import clock
from app.foundation.database import assign, db
from app.foundation.errors import InvalidInput, PayloadTooLarge
from app.payments import terms
from app.payments.access import must_be_admin
from app.payments.models import companys_currency
from app.payments.rates_models import LARGEST_RATE, RATE_DIGITS, ExchangeRate

COLUMNS = ("date", "currency", "rate")
LARGEST_FILE = 1024 * 1024
MOST_LINES = 5_000
MOST_FAULTS = 50
FURTHEST = timedelta(days=366)

_RATE = re.compile(r"[0-9]{1,12}(\.[0-9]{1,30})?")


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rates of a file were new, replaced another one, or stood there already."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


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


def import_rates(content: bytes) -> Imported:
    """The rates of a CSV file with the columns date, currency and rate; one that is there already is replaced.

    InvalidInput whose fields are the lines that do not fit, as in `line 3`; then nothing was taken.
    """
    must_be_admin()
    wanted = read_rates(content)
    known = select(ExchangeRate).where(
        ExchangeRate.company_currency == companys_currency(),
        tuple_(ExchangeRate.currency, ExchangeRate.day).in_(list(wanted)),
    )
    rows = {(row.currency, row.day): row for row in db.session.scalars(known)}
    changed = [row for key, row in rows.items() if row.rate != wanted[key]]
    for row in changed:
        row.rate = wanted[row.currency, row.day]
    new = [
        ExchangeRate(currency=currency, day=day, rate=rate)
        for (currency, day), rate in wanted.items()
        if (currency, day) not in rows
    ]
    db.session.add_all(new)
    done = Imported(len(new), len(changed), len(rows) - len(changed))
    recorder.record(
        "exchange_rate.import",
        target_type="exchange_rate",
        after={"new": done.new, "changed": done.changed, "unchanged": done.unchanged},
    )
    db.session.flush()
    return done


def read_rates(content: bytes) -> dict[tuple[str, date], Decimal]:
    """The rates of a file by currency and day; asks no database."""
    rates: dict[tuple[str, date], Decimal] = {}
    faults: dict[str, str] = {}
    seen: dict[tuple[str, date], int] = {}
    for line, fields in _lines(_text(content)):
        try:
            one = cleaned(fields)
        except InvalidInput as error:
            faults[f"line {line}"] = " ".join(
                f"{'date' if name == 'day' else name}: {message}" for name, message in error.fields.items()
            )
            continue
        key = one["currency"], one["day"]
        if key in seen:
            faults[f"line {line}"] = f"{key[0]} on {key[1].isoformat()} stands in line {seen[key]} already."
        seen.setdefault(key, line)
        rates[key] = one["rate"]
    if faults:
        _refuse(faults)
    if not rates:
        raise InvalidInput(file="There is no rate in the file.")
    return rates


def _refuse(faults: dict[str, str]) -> None:
    count = len(faults)
    said = dict(list(faults.items())[:MOST_FAULTS])
    more = f", the first {MOST_FAULTS} of them are" if count > MOST_FAULTS else ""
    lines = "One line does" if count == 1 else f"{count:,} lines do"
    raise InvalidInput(f"{lines} not fit{more and f' ({more[2:]} shown)'}. Nothing was imported.", **said)


def _text(content: bytes) -> str:
    if len(content) > LARGEST_FILE:
        raise PayloadTooLarge(f"The file may have at most {LARGEST_FILE // 1024:,} kB.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidInput(file="The file is not in UTF-8. Save it as “CSV UTF-8”.") from None
    if "\x00" in text:
        raise InvalidInput(file="This is no CSV file.")
    return text


def _lines(text: str) -> list[tuple[int, dict[str, str]]]:
    """Number and fields of each line that has any; columns in any order, others are left out."""
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in COLUMNS if name not in names]
        if missing:
            raise InvalidInput(
                file=f"The first line must name the columns date, currency and rate; {' and '.join(missing)} is missing."
            )
        places = {
            "day": names.index("date"),
            "currency": names.index("currency"),
            "rate": names.index("rate"),
        }
        found: list[tuple[int, dict[str, str]]] = []
        for row in reader:
            if any(value.strip() for value in row):
                if len(found) == MOST_LINES:
                    raise InvalidInput(file=f"A file may have at most {MOST_LINES:,} rates.")
                found.append((reader.line_num, _fields(row, places)))
    except csv.Error as error:
        raise InvalidInput(file=f"Line {reader.line_num} can't be read: {error}.") from None
    return found


def _fields(row: list[str], places: dict[str, int]) -> dict[str, str]:
    return {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
