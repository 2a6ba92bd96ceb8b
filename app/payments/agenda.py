"""What is coming, day by day: renewals, last days to cancel, cards that expire, and whose business each is.

Two or three statements, however many payments there are. The row rules hold: everybody meets what they may see.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.orm import join

from app.directory.access import ADMIN
from app.directory.queries import people_with_role
from app.foundation.database import db
from app.inventory.models import Product, Service
from app.inventory.queries import administrators_by_product
from app.payments import renewing
from app.payments.models import PaymentInfo


class Kind(StrEnum):
    """What is coming; on one day, in this order."""

    CANCEL_BY = "cancel_by"
    RENEWAL = "renewal"
    EXPIRY = "expiry"


TOO_LATE = timedelta(days=14)

_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose business it is."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Thing:
    """A product, and the service that it is of."""

    product_id: int
    product: str
    service: str

    @property
    def name(self) -> str:
        """The product with its service, where the product's name does not say it already."""
        return self.product if self.product.startswith(self.service) else f"{self.service} {self.product}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on one day. `day` is when, `renewal` the renewal that a last day to cancel is about.

    A card that expires is one entry for all that it pays; its `things` are several.
    """

    kind: Kind
    day: date
    things: tuple[Thing, ...]
    owners: tuple[Owner, ...]
    changed_at: datetime
    amount: Decimal | None = None
    currency: str = ""
    frequency: str | None = None
    auto_renew: bool = True
    renewal: date | None = None
    method: str | None = None
    last4: str | None = None
    holder: str | None = None

    @property
    def title(self) -> str:
        """What it is about."""
        if self.kind is not Kind.EXPIRY:
            return self.things[0].name
        method = self.method or "Card"
        return f"{method} \N{MIDDLE DOT}\N{MIDDLE DOT}{self.last4}" if self.last4 else method


def entries(
    first: date, last: date, *, kinds: Collection[Kind] = tuple(Kind), owner_id: int | None = None
) -> list[Entry]:
    """What is coming from the first to the last day, by day, kind and name; with an owner, what is their business."""
    rows = _rows(first, last)
    owners = _owners(rows)
    found: list[Entry] = []
    cards: dict[Any, list[Entry]] = defaultdict(list)
    for row in rows:
        own = owners[row.product_id]
        if owner_id is None or any(owner.id == owner_id for owner in own):
            found += (one for one in _renewals_of(row, own, first, last) if one.kind in kinds)
            if Kind.EXPIRY in kinds and row.expiry_date and first <= row.expiry_date <= last:
                one = _expiry_of(row, own)
                cards[one.day, one.method, one.last4, one.holder].append(one)
    found += (_together(some) for some in cards.values())
    return sorted(found, key=_place)


def coming(today: date, last: date, *, owner_id: int | None = None) -> list[Entry]:
    """What asks for attention next: of each payment the next of each kind up to the last day, and what is overdue.

    Unlike `entries` one for each product, also of a card that pays for several; by day, kind and name. Overdue are a
    renewal that somebody has to decide on, a card that is good no more, and for two weeks the last day to cancel a
    renewal that is still to come: nothing can be done about it, but somebody may want to know.
    """
    rows = _rows(date.min, last)
    owners = _owners(rows)
    found = [
        one
        for row in rows
        if owner_id is None or any(owner.id == owner_id for owner in owners[row.product_id])
        for one in _next_of(row, owners[row.product_id], today)
        if one.day <= last
    ]
    return sorted(found, key=_place)


def undecided(today: date, *, owner_id: int | None = None) -> list[Entry]:
    """Renewals whose day has passed and that do not go on by themselves: somebody has to say what becomes of them."""
    overdue = select_payments().where(
        PaymentInfo.next_renewal_date < today,
        or_(~PaymentInfo.auto_renew, PaymentInfo.renewal_frequency.is_(None)),
        func.coalesce(PaymentInfo.renewal_frequency, "") != "one_off",
    )
    rows = db.session.execute(overdue.order_by(PaymentInfo.next_renewal_date, Product.id)).all()
    owners = _owners(rows)
    return [
        _entry(row, Kind.RENEWAL, row.next_renewal_date, owners[row.product_id])
        for row in rows
        if owner_id is None or any(owner.id == owner_id for owner in owners[row.product_id])
    ]


def select_payments() -> Any:
    """What an entry is made of, of every payment that the viewer may see."""
    tables = join(join(PaymentInfo, Product, PaymentInfo.product), Service, Product.service)
    columns: list[Any] = [
        Product.id.label("product_id"),
        Product.name.label("product"),
        Service.id.label("service_id"),
        Service.name.label("service"),
        PaymentInfo.amount,
        PaymentInfo.currency,
        PaymentInfo.cardholder_name,
        PaymentInfo.card_last4,
        PaymentInfo.expiry_date,
        PaymentInfo.payment_method,
        PaymentInfo.renewal_frequency,
        PaymentInfo.next_renewal_date,
        PaymentInfo.renewal_day,
        PaymentInfo.auto_renew,
        PaymentInfo.notice_days,
        PaymentInfo.updated_at,
    ]
    return select(*columns).select_from(tables)


def _rows(first: date, last: date) -> Sequence[Row[Any]]:
    """Those with something in the period: a renewal that has begun to come, or a card that expires."""
    notice = func.coalesce(PaymentInfo.notice_days, 0)
    comes = PaymentInfo.next_renewal_date - notice <= last
    rows: Sequence[Row[Any]] = db.session.execute(
        select_payments().where(or_(comes, PaymentInfo.expiry_date.between(first, last)))
    ).all()
    return rows


def _owners(rows: Iterable[Row[Any]]) -> dict[int, tuple[Owner, ...]]:
    """The administrators of each product, else its service's, else the Admins."""
    found = administrators_by_product({row.product_id: row.service_id for row in rows})
    owners = {key: tuple(Owner(*one) for one in people) for key, people in found.items()}
    if not all(owners.values()):
        admins = tuple(Owner(person.id, person.name) for person in people_with_role(ADMIN))
        owners = {key: people or admins for key, people in owners.items()}
    return owners


def _renewals_of(row: Row[Any], owners: tuple[Owner, ...], first: date, last: date) -> Iterator[Entry]:
    plan = renewing.plan_of(row)
    if plan is None:
        return
    for day in renewing.renewals(plan, first, last):
        yield _entry(row, Kind.RENEWAL, day, owners)
    for one in renewing.cancel_bys(plan, first, last):
        yield replace(_entry(row, Kind.CANCEL_BY, one.cancel_by, owners), renewal=one.day)


def _next_of(row: Row[Any], owners: tuple[Owner, ...], today: date) -> Iterator[Entry]:
    if row.expiry_date:
        yield _expiry_of(row, owners)
    plan = renewing.plan_of(row)
    if plan is None:
        return
    renewal = renewing.next_from(plan, today) or plan.coming
    if renewal >= today or row.renewal_frequency != "one_off":
        yield _entry(row, Kind.RENEWAL, renewal, owners)
    too_late = list(renewing.cancel_bys(plan, today - TOO_LATE, today - timedelta(days=1)))[-1:]
    too_late = [one for one in too_late if one.day >= today]
    for one in (*too_late, renewing.still_cancellable(plan, today)):
        if one is not None:
            yield replace(_entry(row, Kind.CANCEL_BY, one.cancel_by, owners), renewal=one.day)


def _place(one: Entry) -> tuple[date, int, str, int]:
    return one.day, _ORDER[one.kind], one.title.lower(), one.things[0].product_id


def _entry(row: Row[Any], kind: Kind, day: date, owners: tuple[Owner, ...]) -> Entry:
    return Entry(
        kind,
        day,
        (Thing(row.product_id, row.product, row.service),),
        owners,
        row.updated_at,
        amount=row.amount,
        currency=row.currency,
        frequency=row.renewal_frequency,
        auto_renew=row.auto_renew,
        method=row.payment_method,
        last4=row.card_last4,
    )


def _expiry_of(row: Row[Any], owners: tuple[Owner, ...]) -> Entry:
    return replace(_entry(row, Kind.EXPIRY, row.expiry_date, owners), holder=row.cardholder_name, amount=None)


def _together(some: list[Entry]) -> Entry:
    """One entry for all that a card pays, as everybody's business whose product is among them."""
    things = sorted((one.things[0] for one in some), key=lambda thing: (thing.name.lower(), thing.product_id))
    owners = tuple(dict.fromkeys(owner for one in some for owner in one.owners))
    return replace(
        some[0], things=tuple(things), owners=owners, changed_at=max(one.changed_at for one in some)
    )
