"""What a cell of a stranger's sheet means in a column of the register. Each function raises ValueError with words for people.

A cell is as `app.payments.reading` writes it: None, a text, a boolean, or an object with one letter for its kind.
"""

from collections.abc import Callable, Iterable
from typing import Any

from marshmallow import ValidationError

from app.foundation import card_numbers
from app.foundation.references import parse_key
from app.foundation.schemas import fit
from app.payments.reading.cells import LONGEST_CELL
from app.payments.sheets import unguarded

LONGEST_TEXT = 200
YES, NO = {"yes", "y", "true", "1", "on"}, {"no", "n", "false", "0", "off"}


def text_of(cell: Any) -> str | None:
    """A cell as text, whatever it is."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, dict):
        return str(next(iter(cell.values())))
    return None if cell is None else str(cell)


def is_card_number(cell: Any) -> bool:
    """Whether the number of a payment card stands in it, as text or as a number."""
    text = text_of(cell)
    return text is not None and len(text) >= card_numbers.FEWEST and card_numbers.stands_in(text)


def has_card_number(cells: Iterable[Any]) -> bool:
    """Whether one of the cells has."""
    return any(map(is_card_number, cells))


def value_of(field: str, cell: Any, *, guarded: bool) -> Any:
    """What a cell says of a field, as `payments.cleaned` takes it; None if it is blank.

    `guarded` texts are those of CSV, where our own export puts a mark before what a spreadsheet might run.
    """
    if isinstance(cell, dict) and "f" in cell:
        raise ValueError("This is a formula. Paste it as a value.")
    if isinstance(cell, dict) and "e" in cell:
        raise ValueError(f"This is an error of the spreadsheet ({cell['e']}).")
    if field == "auto_renew" and isinstance(cell, bool):
        return cell
    text = text_of(cell)
    if text is not None and guarded:
        text = unguarded(text).strip()
    if not text:
        return None
    if len(text) > LONGEST_CELL:
        raise ValueError(f"At most {LONGEST_CELL:,} characters.")
    try:
        fit(text)
    except ValidationError as error:
        raise ValueError(str(error.messages[0])) from None
    return READ[field](text) if field in READ else text


def _product_id(text: str) -> int:
    number = parse_key(text)
    if number is None:
        raise ValueError("Enter the number of a product, as the export has it.")
    return number


def _name(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"At most {LONGEST_TEXT} characters.")
    return text


def _amount(text: str) -> str:
    """`1.234` and `1,234` are read differently in different countries, so there is one way to write it."""
    if "," in text:
        raise ValueError("Write it as 1234.56: a point before the decimals, nothing between the thousands.")
    return text


def _last_four(text: str) -> str:
    """Spreadsheets take `0042` for a number and keep `42`."""
    return text.zfill(4) if text.isascii() and text.isdigit() else text


def _yes_or_no(text: str) -> bool:
    word = text.casefold()
    if word not in YES | NO:
        raise ValueError("Enter yes or no.")
    return word in YES


READ: dict[str, Callable[[str], Any]] = {
    "product_id": _product_id,
    "service": _name,
    "product": _name,
    "amount": _amount,
    "card_last4": _last_four,
    "auto_renew": _yes_or_no,
}
