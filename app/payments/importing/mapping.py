"""Which column of a file is which field of the register: guessed from its name, as it was chosen last time if it was."""

from collections.abc import Sequence

from sqlalchemy import select

from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.payments.import_models import ImportRun
from app.payments.sheets import COLUMNS, TAKEN

REMEMBERED = 20
NAMES = ("product_id", "service", "product")


def _key(name: str) -> str:
    """A column's name without case, blanks and punctuation: `Card-Holder`, `cardholder` and `Card holder` are the same."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


WORDS = {
    _key(word): None if column.computed else column.field
    for column in COLUMNS
    for word in (column.field, column.label, *column.others)
}


def guess(columns: Sequence[str | None]) -> list[str | None]:
    """The field of each column, none twice; None for a column that means nothing here."""
    chosen = {**WORDS, **_chosen_before()}
    found: list[str | None] = []
    for name in columns:
        field = chosen.get(_key(name)) if name else None
        found.append(field if field not in found else None)
    return found


def _chosen_before() -> dict[str, str | None]:
    """What people chose for columns of these names in the last imports; the newest choice counts."""
    query = (
        select(ImportRun.look, ImportRun.mapping)
        .where(ImportRun.mapping.is_not(None))
        .order_by(ImportRun.id.desc())
        .limit(REMEMBERED)
    )
    found: dict[str, str | None] = {}
    for look, mapping in db.session.execute(query):
        for name, field in zip(look["columns"], mapping or [], strict=False):
            if name:
                found.setdefault(_key(name), field if field in TAKEN else None)
    return found


def checked(columns: Sequence[str | None], fields: Sequence[str | None]) -> list[str | None]:
    """A mapping that names products; InvalidInput at `column_N` (N from 0) or `columns` for what is wrong with it."""
    faults: dict[str, str] = {}
    first: dict[str, int] = {}
    for place, field in enumerate(fields):
        if field is None:
            continue
        if field not in TAKEN or columns[place] is None:
            faults[f"column_{place}"] = "Choose one of the list."
        elif first.setdefault(field, place) != place:
            faults[f"column_{place}"] = f"{TAKEN[field].label} is chosen for two columns."
    lacking = _lacking(set(first))
    if lacking:
        faults["columns"] = lacking
    if faults:
        raise InvalidInput("The columns do not fit.", **faults)
    return list(fields)


def _lacking(chosen: set[str]) -> str:
    """What no column is chosen for, though nothing can be imported without it."""
    missing = [TAKEN[name].label for name in ("service", "product") if name not in chosen]
    if missing and "product_id" not in chosen:
        return (
            f"No column is chosen for {' and '.join(missing)}. "
            "A row names its product by Service and Product, or by Product ID."
        )
    if not chosen - set(NAMES):
        return "No column is chosen for anything that could be imported, such as Amount."
    return ""
