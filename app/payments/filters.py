"""Which part of the register somebody asks for: read from an address once, the same for the page, exports and reports."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from app.directory.models import Department, Person
from app.foundation import clock
from app.foundation.currencies import currencies
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.references import parse_key
from app.foundation.schemas import UNFIT
from app.inventory.models import AccessGrant, Product, Service
from app.payments.models import PaymentInfo
from app.payments.status import PaymentState
from app.payments.terms import LONGEST_METHOD

LONGEST_TEXT = 200
LONGEST_LOOK_AHEAD = 3_650


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """What is not given does not narrow.

    A department is meant as who uses what: the products that somebody in it has access to today. `days` are those from
    today within which a card expires; one that has expired already does not count.
    """

    state: str | None = None
    service: int | None = None
    department: int | None = None
    method: str | None = None
    currency: str | None = None
    days: int | None = None
    q: str | None = None

    @classmethod
    def parse(cls, args: Mapping[str, str]) -> "RegisterFilter":
        """From the parameters of an address; blank ones count as not given. InvalidInput names each that is nonsense."""
        found: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name, read in READ.items():
            text = args.get(name, "").strip()
            try:
                if text:
                    found[name] = read(text)
            except ValueError as error:
                faults[name] = str(error)
        if faults:
            raise InvalidInput("There is no such filter.", **faults)
        return cls(**found)

    def apply(self, query: Select[Any]) -> Select[Any]:
        """Narrow a select that reads PaymentInfo, Product and Service."""
        return query.where(*self.criteria())

    def criteria(self) -> list[ColumnElement[bool]]:
        """The same as conditions on PaymentInfo, Product and Service."""
        payment: Any = PaymentInfo
        simple = {
            payment.state: self.state,
            Product.service_id: self.service,
            PaymentInfo.payment_method: self.method,
            PaymentInfo.currency: self.currency,
        }
        rules: list[ColumnElement[bool]] = [
            column == value for column, value in simple.items() if value is not None
        ]
        if self.department is not None:
            rules.append(PaymentInfo.product_id.in_(used_in(self.department)))
        if self.days is not None:
            until = clock.today() + timedelta(days=self.days)
            rules.append(PaymentInfo.expiry_date.between(clock.today(), until))
        return [*rules, *self._words()]

    def _words(self) -> list[ColumnElement[bool]]:
        """Each word of the search stands in a name, the holder or the card's digits."""
        places = (Product.name, Service.name, PaymentInfo.cardholder_name, PaymentInfo.card_last4)
        return [
            or_(*(place.icontains(word, autoescape=True) for place in places))
            for word in (self.q or "").split()
        ]

    def as_args(self) -> dict[str, str]:
        """The parameters of the address that asks for this; `parse` reads them again."""
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: str(value) for name, value in given if value is not None}

    def describe(self) -> dict[str, str]:
        """What is asked for in words, by parameter, as a chip or an export's heading says it."""
        said = {
            "state": self.state and self.state.replace("_", " ").capitalize(),
            "service": self.service and _name_of(Service, self.service),
            "department": self.department and f"Used in {_name_of(Department, self.department)}",
            "method": self.method,
            "currency": self.currency,
            "days": None if self.days is None else _within(self.days),
            "q": self.q and f"\N{LEFT DOUBLE QUOTATION MARK}{self.q}\N{RIGHT DOUBLE QUOTATION MARK}",
        }
        return {name: words for name, words in said.items() if words}


def used_in(department_id: int) -> Select[Any]:
    """Ids of the products that somebody in a department has access to."""
    return (
        select(AccessGrant.product_id)
        .join(Person, Person.id == AccessGrant.person_id)
        .where(Person.department_id == department_id, AccessGrant.ended_at.is_(None))
    )


def _within(days: int) -> str:
    return "Expires today" if days == 0 else f"Expires within {days} day{'s' if days > 1 else ''}"


def _name_of(model: Any, key: int) -> str:
    return db.session.scalar(select(model.name).where(model.id == key)) or f"no. {key}"


def _state(text: str) -> str:
    if text not in set(PaymentState):
        raise ValueError(f"Choose one of: {', '.join(PaymentState)}.")
    return text


def _key(text: str) -> int:
    number = parse_key(text)
    if number is None:
        raise ValueError("There is no such entry.")
    return number


def _currency(text: str) -> str:
    if text.upper() not in currencies():
        raise ValueError("Enter the code of a currency, such as EUR or USD.")
    return text.upper()


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= LONGEST_LOOK_AHEAD):
        raise ValueError(f"Enter a number of days from 0 to {LONGEST_LOOK_AHEAD:,}.")
    return int(text)


def _text(most: int) -> Any:
    def read(text: str) -> str:
        if len(text) > most:
            raise ValueError(f"At most {most} characters.")
        if UNFIT.search(text):
            raise ValueError("Remove the control characters.")
        return text

    return read


READ: dict[str, Any] = {
    "state": _state,
    "service": _key,
    "department": _key,
    "method": _text(LONGEST_METHOD),
    "currency": _currency,
    "days": _days,
    "q": _text(LONGEST_TEXT),
}
