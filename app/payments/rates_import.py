"""Exchange rates of a CSV file, which is taken as a whole or not at all."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select, tuple_

from app.audit import recorder
from app.foundation.database import db
from app.foundation.errors import InvalidInput, PayloadTooLarge
from app.payments.access import must_be_admin
from app.payments.models import companys_currency
from app.payments.rates_models import ExchangeRate
from app.payments.rates_operations import cleaned

COLUMNS = ("date", "currency", "rate")
LARGEST_FILE = 1024 * 1024
MOST_LINES = 5_000
MOST_FAULTS = 50


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rates of a file were new, replaced another one, or stood there already."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


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
