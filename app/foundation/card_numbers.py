"""Numbers of payment cards are kept nowhere: whichever door a text comes through, the session refuses to write one.

Forms and schemas ask first, so that their fields carry the message. The flush asks once more, for every text column of
every row that is audited, which is every one that people change; `__generated__` names those columns of a model that the
portal itself fills, and what it writes for its own use (`__audit__ = False`) it composes of texts that were asked before.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from sqlalchemy import String, event
from sqlalchemy import inspect as state_of
from sqlalchemy.orm import Session

from app.foundation.database import db
from app.foundation.errors import InvalidInput

MESSAGE = (
    "This looks like the number of a payment card, which must not be kept here. Write its last four digits."
)
FEWEST, MOST = 13, 19
_ALONE = r"(?<![^\W_]){}(?![^\W_])"
# Digits, with up to three blanks or dashes of any kind between them. A letter or a digit right beside them says that
# they are part of something else: a hexadecimal number, a reference.
_DIGITS = re.compile(_ALONE.format(r"\d(?:[ \t\u00a0\u2007\u2009\u202f\u2010-\u2015\-]{0,3}\d){12,}"))
# What looks like groups of digits and is something else: a UUID, a day as ISO 8601 writes it.
_UUID = "-".join(f"[0-9a-fA-F]{{{length}}}" for length in (8, 4, 4, 4, 12))
_DAY = "(?:19|2[01])[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_OTHERS = re.compile(_ALONE.format(f"(?:{_UUID}|{_DAY})"))
_GROUP = re.compile(r"\d+")


def stands_in(text: str) -> bool:
    """Whether the number of a payment card stands anywhere in a text.

    That is 13 to 19 digits (ISO/IEC 7812) that pass Luhn's check, which one of ten other numbers of this length does
    too. Beside digits of another matter it is told by its groups, of which all but the last have four to six digits.
    """
    if not _DIGITS.search(text):
        return False
    for found in _DIGITS.finditer(_OTHERS.sub(".", text)):
        groups = _GROUP.findall(found.group())
        if any(map(_passes, ["".join(groups), *_like_cards(groups)])):
            return True
    return False


def masked(text: str) -> str:
    """The text without such numbers, for a log that repeats what somebody typed."""
    return _DIGITS.sub("(card number)", text) if stands_in(text) else text


def _like_cards(groups: list[str]) -> Iterator[str]:
    """Neighbouring groups of digits that may be written down as one card number."""
    for start in range(len(groups)):
        joined = ""
        for group in groups[start : start + 5]:
            joined += group
            yield joined
            if not 4 <= len(group) <= 6:
                break


def _passes(digits: str) -> bool:
    """Luhn's check: from the right every second digit counts double, and a double of two digits the sum of them."""
    if not FEWEST <= len(digits) <= MOST:
        return False
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(sum(divmod(2 * value, 10)) for value in values[1::2])) % 10 == 0


def _holds_one(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= FEWEST and stands_in(value)


@cache
def written_columns(model: type[Any]) -> tuple[str, ...]:
    """A model's columns of text that people or other systems fill."""
    if not getattr(model, "__audit__", True):
        return ()
    generated = {*getattr(model, "__generated__", ()), *getattr(model, "__audit_secret__", ())}
    return tuple(
        name
        for name, column in state_of(model).columns.items()
        if isinstance(column.type, String) and name not in generated
    )


@event.listens_for(db.session, "before_flush")
def _refuse(session: Session, _context: Any, _instances: Any) -> None:
    """InvalidInput names the columns of a row whose new value holds one; what stood there before is left alone."""
    for row in (*session.new, *session.dirty):
        model: Any = type(row)
        state = state_of(row)
        faults = {
            name: MESSAGE
            for name in written_columns(model)
            if _holds_one(state.dict.get(name)) and state.attrs[name].history.added
        }
        if faults:
            raise InvalidInput(MESSAGE, **faults)
