"""The forms of the register, and its values as people read and type them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import BooleanField, DateField, HiddenField, SelectChoice, SelectField
from wtforms.validators import Optional

from app.foundation.currencies import currencies, decimals_of, name_of, plain
from app.foundation.forms import PortalForm, line
from app.payments import terms

LABELS = {
    "amount": "Amount",
    "currency": "Currency",
    "payment_method": "Method",
    "cardholder_name": "Holder",
    "card_last4": "Card ends in",
    "expiry_date": "Expires",
    "renewal_frequency": "Renews",
    "next_renewal_date": "Next renewal",
    "auto_renew": "By itself",
    "notice_days": "Notice",
}
SORTABLE = frozenset(LABELS) - {"auto_renew", "notice_days"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a row: as it is shown, and as it is typed where that differs."""

    name: str
    label: str
    shown: str
    typed: str | None = None


def cells_of(row: Any) -> list[Cell]:
    """The cells of a row of the register, in the order of the columns."""
    return [_cell(name, getattr(row, name), row.currency) for name in LABELS]


def _cell(name: str, value: Any, currency: str) -> Cell:
    shown, typed = said(name, value, currency), typed_as(name, value, currency)
    return Cell(name, LABELS[name], shown, None if shown == typed else typed)


def said(name: str, value: Any, currency: str = "") -> str:
    """A value of a payment for people; nothing for what is not known."""
    if value is None:
        return ""
    words = {
        "amount": lambda: f"{value:,.{decimals_of(currency)}f}",
        "auto_renew": lambda: "Yes" if value else "No",
        "notice_days": lambda: f"{value} day{'' if value == 1 else 's'}",
        "renewal_frequency": lambda: frequency_words(value).capitalize(),
    }
    if name in words:
        return words[name]()
    return f"{value.day} {value:%b %Y}" if isinstance(value, date) else str(value)


def typed_as(name: str, value: Any, currency: str) -> str:
    """The same as somebody would type it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return plain(value, currency)
    return frequency_words(value) if name == "renewal_frequency" else str(value)


def frequency_words(frequency: str) -> str:
    """`every_6_months` as "every 6 months"."""
    return "one-off" if frequency == "one_off" else frequency.replace("_", " ")


def field_of_cell(name: str, text: str) -> Any:
    """What was typed into a cell, as the room's verb takes it."""
    if name == "auto_renew":
        return text.strip().lower() in {"yes", "y", "true", "1", "on"}
    return text


def _currency_choices() -> list[SelectChoice]:
    return [SelectChoice(code, f"{code}, {name_of(code)}") for code in sorted(currencies())]


class PaymentForm(PortalForm):
    """What is known of a payment; `updated_at` says which version of it the form was filled from."""

    amount = line("Amount", most=30, hint="Per renewal, such as 1250.00.")
    currency = SelectField("Currency", choices=_currency_choices)
    payment_method = line("Method", most=terms.LONGEST_METHOD, hint=f"Such as {', '.join(terms.METHODS)}.")
    cardholder_name = line("Holder", most=terms.LONGEST_NAME, hint="Whose card or account pays.")
    card_last4 = line("Card ends in", most=30, hint="The last four digits. Never the whole number.")
    expiry_date = DateField("Expires", validators=[Optional()], description="Until when the card is good.")
    renewal_frequency = line("Renews", most=50, hint=terms.KNOWN_FREQUENCIES)
    next_renewal_date = DateField("Next renewal", validators=[Optional()])
    auto_renew = BooleanField("It renews by itself")
    notice_days = line("Notice", most=9, hint="How many days before the renewal it must be cancelled.")
    updated_at = HiddenField()


class TogetherForm(PortalForm):
    """What is said of many payments alike, as after a card was renewed; what is empty stays as it is."""

    payment_method = line("Method", most=terms.LONGEST_METHOD)
    cardholder_name = line("Holder", most=terms.LONGEST_NAME)
    card_last4 = line("Card ends in", most=30, hint="The last four digits. Never the whole number.")
    expiry_date = line("Expires", most=30, hint="Until when the card is good, as YYYY-MM-DD.")
