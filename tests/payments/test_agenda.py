"""What is coming: renewals, last days to cancel, cards that expire; whose business it is, and who sees it."""

from datetime import date, timedelta

import pytest

from app.foundation import clock
from app.foundation.database import db
from app.foundation.viewer import viewing_as
from app.inventory import operations as inventory
from app.inventory.models import Product
from app.payments import agenda, queries
from app.payments import operations as payments
from app.payments.agenda import Kind

FIRST, LAST = date(2031, 1, 1), date(2031, 3, 31)


@pytest.fixture
def pay(context, world):
    def change(name, **fields):
        return payments.change_payment(queries.payment_of(world.products[name]), **fields)

    return change


def told(found) -> list[tuple[str, str, str]]:
    return [(one.day.isoformat(), one.kind.value, one.title) for one in found]


@pytest.fixture
def busy(pay):
    """Gmail renews monthly with notice, Copilot has to be renewed by hand, one card pays two products."""
    card = {
        "payment_method": "Credit card",
        "card_last4": "4242",
        "cardholder_name": "Jane",
        "expiry_date": "2031-02-28",
    }
    pay(
        "Gmail",
        next_renewal_date="2031-01-31",
        renewal_frequency="monthly",
        notice_days=30,
        amount="6.00",
        **card,
    )
    pay(
        "Copilot",
        next_renewal_date="2031-01-15",
        renewal_frequency="yearly",
        auto_renew=False,
        notice_days=10,
        **card,
    )
    pay("Slack Business", expiry_date="2031-03-31", payment_method="Invoice")


def test_days_come_in_order_and_a_card_once_for_all_it_pays(busy):
    found = agenda.entries(FIRST, LAST)
    assert told(found) == [
        ("2031-01-01", "cancel_by", "Google Workspace Gmail"),
        ("2031-01-15", "renewal", "GitHub Copilot"),
        ("2031-01-29", "cancel_by", "Google Workspace Gmail"),
        ("2031-01-31", "renewal", "Google Workspace Gmail"),
        ("2031-02-28", "renewal", "Google Workspace Gmail"),
        ("2031-02-28", "expiry", "Credit card \N{MIDDLE DOT}\N{MIDDLE DOT}4242"),
        ("2031-03-01", "cancel_by", "Google Workspace Gmail"),
        ("2031-03-31", "cancel_by", "Google Workspace Gmail"),
        ("2031-03-31", "renewal", "Google Workspace Gmail"),
        ("2031-03-31", "expiry", "Invoice"),
    ]
    card = next(one for one in found if one.kind is Kind.EXPIRY)
    assert [thing.name for thing in card.things] == ["GitHub Copilot", "Google Workspace Gmail"]
    assert found[2].renewal == date(2031, 2, 28)


def test_kinds_and_owners_narrow_it(busy, world):
    assert {one.kind for one in agenda.entries(FIRST, LAST, kinds=(Kind.EXPIRY,))} == {Kind.EXPIRY}
    alices = agenda.entries(FIRST, LAST, owner_id=world.people["alice"])
    assert {thing.product for one in alices for thing in one.things} == {"Gmail"}
    assert agenda.entries(FIRST, LAST, owner_id=world.people["charlie"]) == []


def test_in_charge_are_the_product_s_administrators_else_the_service_s_else_the_admins(busy, pay, world):
    for name in ("Drive", "GitHub Enterprise"):
        pay(name, next_renewal_date="2031-01-20")
    inventory.assign_administrator(person_id=world.people["charlie"], product_id=world.products["Drive"])

    def in_charge() -> dict[str, set[str]]:
        return {
            one.things[0].product: {owner.name for owner in one.owners} for one in agenda.entries(FIRST, LAST)
        }

    first_admin = {owner for owner in in_charge()["Copilot"] if owner != "Root"}
    assert in_charge() == {
        "Gmail": {"Alice"}, "Drive": {"Charlie"}, "GitHub Enterprise": {"Bob"}, "Copilot": {"Root", *first_admin},
        "Slack Business": {"Bob"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("root", {"Gmail", "Copilot", "Slack Business"}),
        ("alice", {"Gmail"}),
        ("bob", set()),
        ("charlie", set()),
    ],
)
def test_everybody_meets_what_they_may_see(busy, viewer_of, name, seen):
    with viewing_as(viewer_of(name)):
        found = agenda.entries(FIRST, LAST)
        assert {thing.product for one in found for thing in one.things} == seen


def test_undecided_are_renewals_that_are_over_and_do_not_go_on(context, pay, monkeypatch):
    at = clock.now()
    yesterday = (clock.today() + timedelta(days=1)).isoformat()
    pay("Gmail", next_renewal_date=yesterday, auto_renew=False, renewal_frequency="yearly")
    pay("Drive", next_renewal_date=yesterday, auto_renew=True, renewal_frequency="yearly")
    pay("Copilot", next_renewal_date=yesterday, auto_renew=False, renewal_frequency="one_off")
    pay("Slack Business", next_renewal_date=yesterday)
    assert agenda.undecided(clock.today()) == []
    monkeypatch.setattr(clock, "now", lambda: at + timedelta(days=2))
    assert [one.title for one in agenda.undecided(clock.today())] == [
        "Google Workspace Gmail",
        "Slack Business",
    ]


def test_number_of_statements_does_not_grow(context, world, statements):
    def measure() -> int:
        with statements() as seen:
            agenda.entries(FIRST, LAST)
        return len(seen)

    def add(count: int) -> None:
        for number in range(count):
            made = Product(service_id=world.services["Slack"], name=f"More {number} of {count}")
            db.session.add(made)
            db.session.flush()
            payments.change_payment(
                payments.open_record(made), next_renewal_date="2031-01-15", renewal_frequency="monthly"
            )

    add(1)
    few = measure()
    add(30)
    assert measure() == few <= 3


def test_far_dates_are_no_trouble(pay):
    pay(
        "Gmail",
        next_renewal_date="9999-12-31",
        renewal_frequency="monthly",
        notice_days=3650,
        expiry_date="9999-12-31",
    )
    pay(
        "Drive",
        next_renewal_date="0001-01-01",
        renewal_frequency="monthly",
        notice_days=3650,
        expiry_date="0001-01-01",
    )
    pay("Copilot", next_renewal_date="0001-01-01", notice_days=3650)
    assert {one.title for one in agenda.entries(FIRST, LAST)} == {"Google Workspace Drive"}
