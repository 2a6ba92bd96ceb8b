"""What both readers share: limits, the first line, the cells."""

from datetime import date, datetime, time
from typing import Any

MOST_ROWS = 50_000
MOST_COLUMNS = 100
LONGEST_CELL = 5_000
EMPTY = "The sheet is empty: nothing stands below its first line."
TOO_MANY_ROWS = f"The sheet has more than {MOST_ROWS:,} rows, which is the most that is taken at once. Split it into several files."


class Refused(Exception):
    """A file that can't be taken; the message is for people."""


def columns_of(first: list[Any]) -> list[str | None]:
    """The names of the columns. Refused where one is there twice, or none is."""
    names = [_name(cell) for cell in first]
    while names and names[-1] is None:
        names.pop()
    if not names:
        raise Refused("The first line must name the columns, such as Service, Product, Amount.")
    if len(names) > MOST_COLUMNS:
        raise Refused(f"The sheet has more than {MOST_COLUMNS} columns.")
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        if name is not None:
            other = seen.setdefault(name.casefold(), place)
            if other != place:
                raise Refused(
                    f"Two columns are called \N{LEFT DOUBLE QUOTATION MARK}{name}\N{RIGHT DOUBLE QUOTATION MARK} "
                    f"({letter(other)} and {letter(place)}). Rename one of them."
                )
    return names


def _name(cell: Any) -> str | None:
    text = cell if isinstance(cell, str) else next(iter(cell.values())) if isinstance(cell, dict) else ""
    return " ".join(str(text).split())[:100] or None


def letter(place: int) -> str:
    """What spreadsheets call a column that is counted from 0: A, B, ... Z, AA."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def cell_of(value: Any) -> Any:
    """A value of a workbook as JSON has it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return {"n": number(value)}
    if isinstance(value, datetime):
        return {"d": value.date().isoformat() if value.time() == time() else value.isoformat(" ")}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    return text_of(str(value))


def number(value: float) -> str:
    """In the 15 digits that spreadsheets show, so that 0.1 + 0.2 reads 0.3."""
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return format(value, ".15g")


def text_of(text: str) -> str | None:
    """Trimmed, None if nothing is left, and cut where it is longer than any text of a payment could be."""
    return text.strip()[: LONGEST_CELL + 1] or None
