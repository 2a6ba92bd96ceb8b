"""The currencies of ISO 4217 that are legal tender somewhere today, from Babel's copy of the CLDR."""

from decimal import Decimal
from functools import cache
from typing import Any

LANGUAGE = "en"
# The CLDR's signs: a currency's code, then groups of three digits.
PATTERN = "\u00a4\u00a4 #,##0.00"


@cache
def currencies() -> frozenset[str]:
    """Their codes. The CLDR also knows what was paid with before, and codes that are no money."""
    from babel.core import get_global  # noqa: PLC0415 - a process that only reads the settings may not need it

    return frozenset(
        code
        for of_territory in get_global("territory_currencies").values()
        for code, _since, until, tender in of_territory
        if tender and until is None
    )


@cache
def decimals_of(currency: str) -> int:
    """How many digits an amount in it has after the point: 2 for USD, 0 for JPY, 3 for KWD."""
    from babel.numbers import get_currency_precision  # noqa: PLC0415 - see `currencies`

    return get_currency_precision(currency)


@cache
def name_of(currency: str) -> str:
    """What people call it: `Swiss Franc`."""
    from babel.numbers import get_currency_name  # noqa: PLC0415 - see `currencies`

    return get_currency_name(currency, locale=LANGUAGE)


def plain(amount: Decimal, currency: str) -> str:
    """An amount for programs: `1250.00`."""
    return f"{amount:.{decimals_of(currency)}f}"


def for_people(amount: Decimal, currency: str) -> str:
    """An amount for people, with its code, because several countries have a dollar: `USD 1,250.00`."""
    pattern, locale = _pattern()
    shown: str = pattern.apply(amount, locale, currency=currency, currency_digits=True)
    return shown


@cache
def _pattern() -> tuple[Any, Any]:
    from babel import Locale  # noqa: PLC0415 - see `currencies`
    from babel.numbers import parse_pattern  # noqa: PLC0415

    return parse_pattern(PATTERN), Locale.parse(LANGUAGE)
