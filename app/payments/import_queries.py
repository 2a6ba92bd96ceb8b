"""Reads of imports."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import joinedload

from app.foundation.currencies import for_people
from app.foundation.database import db
from app.foundation.references import parse_key
from app.payments.import_models import ImportRow, ImportRun
from app.payments.reading.cells import letter
from app.payments.sheets import TAKEN, in_words

ROW = (
    ImportRow.line,
    ImportRow.kind,
    ImportRow.product_id,
    ImportRow.service,
    ImportRow.product,
    ImportRow.wanted,
    ImportRow.before,
    ImportRow.after,
    ImportRow.faults,
)


def latest_runs(most: int) -> list[ImportRun]:
    """The newest imports, whoever made them."""
    query = select(ImportRun).options(joinedload(ImportRun.person)).order_by(ImportRun.id.desc()).limit(most)
    return list(db.session.scalars(query))


def run_of(key: Any) -> ImportRun | None:
    """One of them."""
    number = parse_key(key)
    query = select(ImportRun).options(joinedload(ImportRun.person)).where(ImportRun.id == number)
    return db.session.scalar(query) if number else None


def rows_of(run_id: int, kind: str, page: int, size: int) -> list[Row[Any]]:
    """A page of what the rows of a file would do, in the order of the file."""
    query = select(*ROW).where(ImportRow.run_id == run_id)
    if kind:
        query = query.where(ImportRow.kind == kind)
    return list(db.session.execute(query.order_by(ImportRow.line).limit(size).offset((page - 1) * size)))


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a row: as it is, as it would be, or what is wrong with it and where."""

    label: str
    before: str = ""
    after: str = ""
    fault: str = ""
    cell: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a dry run for people."""

    line: int
    kind: str
    product_id: int | None
    name: str
    service: str
    changes: list[Change]


def as_shown(row: Row[Any], run: ImportRun) -> Shown:
    """A row with its fields named, its values in words and its faults at their cells."""
    faults = [
        Change(_label(field, run), fault=fault, cell=_cell(field, row.line, run))
        for field, fault in row.faults.items()
    ]
    changes = [
        Change(TAKEN[field].label, _value(field, row.before, row), _value(field, row.after, row))
        for field in TAKEN
        if field in row.after
    ]
    return Shown(row.line, row.kind, row.product_id, row.product or "", row.service or "", faults or changes)


def _value(field: str, values: dict[str, Any], row: Row[Any]) -> str:
    value = values.get(field)
    if field == "amount" and value is not None:
        currency = values.get("currency") or row.wanted.get("currency")
        return for_people(Decimal(value), currency) if currency else value
    if isinstance(value, str) and field.endswith("_date"):
        return f"{date.fromisoformat(value):%-d %b %Y}"
    return in_words(field, value)


def _place(field: str, run: ImportRun) -> int | None:
    if field.startswith("column_"):
        return int(field.removeprefix("column_"))
    return run.mapping.index(field) if run.mapping and field in run.mapping else None


def _label(field: str, run: ImportRun) -> str:
    """As the column is called in the file; a fault may be about a field that the file has no column for."""
    place, columns = _place(field, run), run.look["columns"]
    name = columns[place] if place is not None and place < len(columns) else None
    return name or (TAKEN[field].label if field in TAKEN else f"Column {letter(place or 0)}")


def _cell(field: str, line: int, run: ImportRun) -> str:
    place = _place(field, run)
    return f"{letter(place)}{line}" if place is not None else ""
