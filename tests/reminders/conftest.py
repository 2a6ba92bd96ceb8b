"""Days that come near, and what people were told of them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from app.foundation import clock
from app.foundation.database import db
from app.notifications.models import Kind, Notification
from app.payments import operations as payments
from app.payments import queries as payment_queries
from app.reminders import operations as reminders

TODAY = date(2030, 3, 1)


@pytest.fixture
def on(monkeypatch) -> Callable[[date], None]:
    """Let it be nine in the morning of a day."""

    def be(day: date) -> None:
        now = datetime.combine(day, time(9), UTC)
        monkeypatch.setattr(clock, "now", lambda: now)

    be(TODAY)
    return be


@pytest.fixture
def pay(context, world, on) -> Callable[..., None]:
    """Write down what is known of a product's payment."""

    def change(name: str, **fields) -> None:
        payments.change_payment(payment_queries.payment_of(world.products[name]), **fields)
        db.session.commit()

    return change


@pytest.fixture
def card(pay) -> date:
    """The card that pays for Gmail, of alice's service, expires in 30 days."""
    day = TODAY + timedelta(days=30)
    pay("Gmail", expiry_date=day.isoformat(), payment_method="Credit card", card_last4="4242", amount="12.50")
    return day


@pytest.fixture
def check(context, world) -> Callable[[], dict[str, list[str]]]:
    """Run the expiry check; the titles of the new notices by who got them."""

    def run() -> dict[str, list[str]]:
        before = db.session.scalars(select(Notification.id)).all()
        reminders.tell_of_payments()
        db.session.commit()
        return new_notices(world, before, Kind.PAYMENTS)

    return run


def new_notices(world, before, kind: Kind) -> dict[str, list[str]]:
    """The titles of notices of a kind that were not there before, by name.

    The first administrator, an Admin as root is, gets the same as root does, and is left out.
    """
    names = {key: name for name, key in world.people.items()}
    fresh = select(Notification).where(Notification.id.not_in(before), Notification.kind == kind)
    found: dict[str, list[str]] = {}
    for notice in db.session.scalars(fresh.order_by(Notification.id)):
        found.setdefault(names[notice.person_id], []).append(notice.title)
    first = found.pop("portal administrator", None)
    assert first is None or first == found.get("root")
    return found


def told_last(person_id: int) -> str:
    """What somebody's latest notice says: its text, or its lines."""
    latest = select(Notification).where(Notification.person_id == person_id).order_by(Notification.id.desc())
    notice = db.session.scalars(latest.limit(1)).one()
    return notice.body or "\n".join(item["text"] for item in notice.items)
