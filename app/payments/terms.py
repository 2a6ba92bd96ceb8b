"""What people write into a payment, brought to one spelling. Each function raises ValueError with words for people."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from app.foundation.currencies import currencies
from app.foundation.errors import InvalidInput
from app.payments.models import LARGEST_AMOUNT, LONGEST_NOTICE, MOST_MONTHS

METHODS = ("Credit card", "Debit card", "Bank transfer", "Direct debit", "PayPal", "Invoice")
FREQUENCIES = ("monthly", "quarterly", "yearly", "one_off")
LONGEST_NAME = 200
LONGEST_METHOD = 100
KNOWN_FREQUENCIES = (
    f"Enter monthly, quarterly, yearly, one_off, or every_N_months with N from 1 to {MOST_MONTHS}."
)

_AMOUNT = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BETWEEN = re.compile(r"[\s_-]+")
_EVERY = re.compile(r"every ([1-9][0-9]{0,2}) months?")
_OTHER_WORDS = {
    "annual": "yearly",
    "annually": "yearly",
    "once": "one_off",
    "one time": "one_off",
    "onetime": "one_off",
    "oneoff": "one_off",
}


def _words(text: str) -> str:
    """In small letters, with one blank wherever there are blanks, dashes or underscores."""
    return _BETWEEN.sub(" ", text).strip().lower()


def amount_of(value: Any) -> Decimal:
    """An amount from a number or its text."""
    if isinstance(value, bool) or not _AMOUNT.fullmatch(text := str(value).strip()):
        raise ValueError("Enter a number such as 1250.00.")
    amount = Decimal(text)
    if amount < 0:
        raise ValueError("An amount can't be negative.")
    if amount > LARGEST_AMOUNT:
        raise ValueError(f"An amount can be {LARGEST_AMOUNT:,} at most.")
    return amount


def currency_named(text: str) -> str:
    """A currency's code."""
    code = text.strip().upper()
    if code not in currencies():
        raise ValueError("Enter the code of a currency, such as EUR or USD.")
    return code


def holder_named(text: str) -> str:
    """Whose name is on the card or the account."""
    if len(text) > LONGEST_NAME:
        raise ValueError(f"At most {LONGEST_NAME} characters.")
    return text


def day_of(value: Any) -> date:
    """A date, or its text in the one order that nobody reads otherwise."""
    if isinstance(value, date):
        return value
    try:
        if _DAY.fullmatch(str(value)):
            return date.fromisoformat(str(value))
    except ValueError:
        pass
    raise ValueError("Enter a date as YYYY-MM-DD.")


def last_four_of(text: str) -> str:
    """The last four digits of a card, and no other."""
    if not (len(text) == 4 and text.isascii() and text.isdigit()):
        raise ValueError("Enter the last four digits of the card, nothing else.")
    return text


def method_named(text: str) -> str:
    """A method of payment: one of the common ones in its one spelling, or whatever else the company calls it."""
    if len(text) > LONGEST_METHOD:
        raise ValueError(f"At most {LONGEST_METHOD} characters.")
    return next((method for method in METHODS if _words(method) == _words(text)), text.strip())


def frequency_named(text: str) -> str:
    """How often it renews: one of FREQUENCIES, or `every_6_months`."""
    words = _words(text)
    word = _OTHER_WORDS.get(words, words.replace(" ", "_"))
    if word in FREQUENCIES:
        return word
    every = _EVERY.fullmatch(words)
    if every is None or int(every[1]) > MOST_MONTHS:
        raise ValueError(KNOWN_FREQUENCIES)
    return f"every_{every[1]}_months"


def notice_of(value: Any) -> int:
    """Days."""
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch("[0-9]{1,9}", text) or int(text) > LONGEST_NOTICE:
        raise ValueError(f"Enter a number of days from 0 to {LONGEST_NOTICE:,}.")
    return int(text)


def all_spelled(
    names: Iterable[str], fields: Mapping[str, Any], spell: Callable[[str, Any], Any]
) -> dict[str, Any]:
    """Those of the fields that are given, in one spelling. InvalidInput with a message for each that has none."""
    clean: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name in names:
        if name in fields:
            try:
                clean[name] = spell(name, fields[name])
            except ValidationError as error:
                faults[name] = str(error.messages[0])
            except ValueError as error:
                faults[name] = str(error)
    if faults:
        raise InvalidInput("Some fields are not valid.", **faults)
    return clean
