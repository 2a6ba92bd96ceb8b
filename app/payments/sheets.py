"""The register as a sheet: its columns, what other sheets call them, and how a text stands in a cell.

Export and import both ask here, so that what the one writes the other reads back as it was.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.foundation.currencies import plain

# What a spreadsheet program may take for a formula, or runs as one when such a text is opened from CSV (OWASP, CSV injection).
TRIGGERS = ("=", "+", "-", "@", "\t", "\r")
QUOTE = "'"
# What XML has no way to write.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field, its heading, and other words for it. One that is computed is written and never read."""

    field: str
    label: str
    others: tuple[str, ...] = ()
    computed: bool = False


COLUMNS = (
    Column("product_id", "Product ID", ("id", "product no", "product number", "product key")),
    Column("service", "Service", ("service name", "vendor service", "application", "app", "tool", "system")),
    Column("product", "Product", ("product name", "name", "plan", "licence", "license", "item")),
    Column("state", "State", computed=True),
    Column("amount", "Amount", ("price", "cost", "costs", "fee", "total", "amount per renewal", "value")),
    Column("currency", "Currency", ("currency code", "curr", "ccy", "iso currency")),
    Column(
        "cardholder_name",
        "Holder",
        ("card holder", "cardholder", "cardholder name", "account holder", "name on card"),
    ),
    Column(
        "card_last4",
        "Card ends in",
        ("last4", "last 4", "last four", "card last4", "card last 4", "last four digits"),
    ),
    Column(
        "expiry_date",
        "Expires",
        ("expiry", "expiry date", "expiration", "expiration date", "card expiry", "valid until"),
    ),
    Column("payment_method", "Method", ("payment method", "payment", "paid by", "paid with", "pays")),
    Column(
        "renewal_frequency",
        "Renews",
        ("frequency", "renewal frequency", "billing cycle", "interval", "cycle", "period"),
    ),
    Column(
        "next_renewal_date",
        "Next renewal",
        ("renewal", "renewal date", "next renewal date", "renews on", "next payment"),
    ),
    Column(
        "auto_renew", "Renews by itself", ("auto renew", "autorenew", "auto renewal", "automatic renewal")
    ),
    Column(
        "notice_days", "Notice in days", ("notice", "notice days", "notice period", "cancellation period")
    ),
)
TAKEN = {column.field: column for column in COLUMNS if not column.computed}


def guarded(text: str) -> str:
    """A text for a CSV cell: one that a spreadsheet might run gets a quotation mark before it.

    So does one that has such a mark already: `unguarded` always finds the text again.
    """
    return QUOTE + text if text.startswith((*TRIGGERS, QUOTE)) else text


def unguarded(text: str) -> str:
    """The text that `guarded` was given."""
    return text[1:] if text.startswith(QUOTE) and text[1:].startswith((*TRIGGERS, QUOTE)) else text


def writable(text: str) -> str:
    """A text as both formats can hold it: XML knows one way to break a line, and not every character."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def same_text(one: str | None, other: str | None) -> bool:
    """Whether two texts are one in a sheet; white space at the ends does not count."""
    return writable(one or "").strip() == writable(other or "").strip()


def in_words(field: str, value: Any, currency: str = "") -> str:
    """A value of a payment as a CSV cell has it, and as people read it in a dry run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value, currency) if field == "amount" and currency else str(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
