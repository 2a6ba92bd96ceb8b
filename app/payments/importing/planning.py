"""What a row of a file would do to the register: the dry run asks here, and the import asks again before it does it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.inventory.models import Product, Service
from app.payments import operations as payments
from app.payments import queries
from app.payments.import_models import RowKind
from app.payments.importing.cells import is_card_number, value_of
from app.payments.importing.mapping import NAMES
from app.payments.models import PaymentInfo, companys_currency
from app.payments.sheets import same_text

CARD_NUMBER = "This looks like the number of a payment card, which must not be kept here."
# A blank cell says nothing of these: a payment always has them.
NEVER_BLANK = ("currency", "auto_renew")

Names = tuple[str, str]


@dataclass(slots=True)
class Planned:
    """A row of the file. `wanted` is what it says of the payment, `before` and `after` what it changes, as JSON has it."""

    line: int
    kind: RowKind = RowKind.REFUSED
    product_id: int | None = None
    service: str | None = None
    product: str | None = None
    wanted: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> int | Names | None:
        """What two rows must not both be about."""
        named = self.service and self.product
        return self.product_id or (_names(self.service or "", self.product or "") if named else None)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a file is read: the field of each column, and what was asked for on the way."""

    fields: Sequence[str | None]
    guarded: bool = False
    clear_blanks: bool = False
    create_services: bool = False


class Register:
    """The register as it stands, found by number and by name. Read once for all rows of a file."""

    def __init__(self) -> None:
        columns = [getattr(PaymentInfo, name) for name in payments.FIELDS]
        query = queries.register().with_only_columns(
            Product.id.label("product_id"),
            Product.name.label("product"),
            Service.name.label("service"),
            *columns,
        )
        self.by_id: dict[int, Any] = {row.product_id: row for row in db.session.execute(query.order_by(None))}
        self.by_name = {_names(row.service, row.product): row for row in self.by_id.values()}
        services = db.session.execute(select(Service.id, Service.name))
        self.services: dict[str, int] = {name_key(row.name): row.id for row in services}

    def find(self, row: Planned) -> Any:
        """The product that a row names, None for a new one; InvalidInput for one that can't be told."""
        if row.product_id is None:
            return self.by_name.get(_names(row.service or "", row.product or ""))
        found = self.by_id.get(row.product_id)
        if found is None:
            raise InvalidInput(product_id=f"There is no product {row.product_id}.")
        for name in ("service", "product"):
            said, known = getattr(row, name), getattr(found, name)
            if said and name_key(said) != name_key(known):
                raise InvalidInput(**{name: f"Product {row.product_id} is of another {name}: {known}."})
        return found


def read(line: int, cells: Sequence[Any], rules: Rules) -> Planned:
    """What a row says, and what of it can't be read; compares nothing yet."""
    row = Planned(line)
    for place, cell in enumerate(cells):
        name = rules.fields[place] if place < len(rules.fields) else None
        if is_card_number(cell):
            row.faults[name or f"column_{place}"] = CARD_NUMBER
        elif name:
            _read_cell(row, name, cell, rules)
    if rules.clear_blanks:
        for name in rules.fields:
            if name and name not in (*NAMES, *NEVER_BLANK):
                row.wanted.setdefault(name, None)
    return row


def _read_cell(row: Planned, name: str, cell: Any, rules: Rules) -> None:
    try:
        value = value_of(name, cell, guarded=rules.guarded)
    except ValueError as error:
        row.faults[name] = str(error)
        return
    if name in NAMES:
        setattr(row, name, value)
    elif value is not None:
        row.wanted[name] = value


def compare(row: Planned, register: Register, *, create_services: bool) -> None:
    """Say what the row would do to the register as it stands."""
    try:
        known = register.find(row) if not row.faults.keys() & set(NAMES) else None
        clean = payments.cleaned({name: row.wanted[name] for name in row.wanted if name not in row.faults})
        if not row.faults:
            _decide(row, known, clean, register, create_services=create_services)
    except InvalidInput as error:
        row.faults.update(error.fields)
    if row.faults:
        row.kind, row.before, row.after = RowKind.REFUSED, {}, {}


def _decide(
    row: Planned, known: Any, clean: dict[str, Any], register: Register, *, create_services: bool
) -> None:
    if known is None:
        _must_be_possible(row, register, create_services=create_services)
    payments.must_agree(known or blank(), clean)
    changed = {
        name: value for name, value in clean.items() if known is None or _differs(getattr(known, name), value)
    }
    row.wanted, row.after = as_json(clean), as_json(changed)
    if known is None:
        row.kind, row.before = RowKind.NEW, {}
        return
    row.product_id, row.service, row.product = known.product_id, known.service, known.product
    row.kind = RowKind.CHANGED if changed else RowKind.UNCHANGED
    row.before = as_json({name: getattr(known, name) for name in changed})


def _must_be_possible(row: Planned, register: Register, *, create_services: bool) -> None:
    """A new product needs both names, and a service that is there or may be added."""
    missing = {name: "This field is required." for name in ("service", "product") if not getattr(row, name)}
    if missing:
        raise InvalidInput(**missing)
    if name_key(row.service or "") not in register.services and not create_services:
        raise InvalidInput(
            service="There is no such service. Add it first, or let the import add what is missing."
        )


def blank() -> Any:
    """The payment of a product that was just added."""
    empty = {**dict.fromkeys(payments.FIELDS), "currency": companys_currency(), "auto_renew": True}
    return SimpleNamespace(**empty)


def same_product(line: int) -> str:
    """What is wrong with a row whose product another line is about too."""
    return f"Line {line} is about the same product."


class Doubles:
    """Two rows about one product are refused both, each naming the other's line.

    A later one is refused when it comes; `firsts` maps the lines of those that came before to the lines of these.
    """

    def __init__(self) -> None:
        self.firsts: dict[int, int] = {}
        self._lines: dict[int | Names, int] = {}

    def look_at(self, row: Planned) -> None:
        """The next row, in the order of the file."""
        if row.key is None:
            return
        line = self._lines.setdefault(row.key, row.line)
        if line != row.line:
            self.firsts.setdefault(line, row.line)
            row.faults.setdefault("product", same_product(line))
            row.kind, row.before, row.after = RowKind.REFUSED, {}, {}


def as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a payment as JSON holds them, and as `payments.cleaned` reads them again."""
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _differs(old: Any, new: Any) -> bool:
    if isinstance(old, str) and isinstance(new, str):
        return not same_text(old, new)
    return bool(old != new)


def name_key(text: str) -> str:
    return " ".join(text.split()).lower()


def _names(service: str, product: str) -> Names:
    return (name_key(service), name_key(product))
