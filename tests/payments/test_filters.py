"""Filters of the register: what an address may ask for, and whom it shows what."""

from datetime import timedelta

import pytest

from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.viewer import viewing_as
from app.payments import operations as payments
from app.payments import queries
from app.payments.filters import RegisterFilter


@pytest.fixture
def register(context, world):
    """Gmail pays by card until in 20 days, Copilot's card has expired, the others are incomplete."""
    today = clock.today()
    for product, days, currency, holder in (
        ("Gmail", 20, "EUR", "Jane Doe"),
        ("Copilot", -20, "USD", "100% John"),
    ):
        payments.change_payment(
            queries.payment_of(world.products[product]),
            amount="10.00",
            currency=currency,
            cardholder_name=holder,
            card_last4="4242",
            payment_method="Credit card",
            expiry_date=today + timedelta(days=days),
        )
    return world


def found(**asked) -> set[str]:
    query = RegisterFilter.parse(asked).apply(queries.register())
    return {row.product_name for row in db.session.execute(query)}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"state": "expired"}, {"Copilot"}),
        ({"state": "expiring"}, {"Gmail"}),
        ({"method": "Credit card"}, {"Gmail", "Copilot"}),
        ({"method": "credit"}, set()),
        ({"currency": "usd"}, {"Copilot", "Drive", "GitHub Enterprise", "Slack Business"}),
        ({"days": "19"}, set()),
        ({"days": "20"}, {"Gmail"}),
        ({"days": "3650"}, {"Gmail"}),
        ({"q": "google DRIVE"}, {"Drive"}),
        ({"q": "100%"}, {"Copilot"}),
        ({"q": "4242 jane"}, {"Gmail"}),
        ({"state": " ", "q": "  "}, {"Gmail", "Drive", "GitHub Enterprise", "Copilot", "Slack Business"}),
    ],
)
def test_filter_finds(register, asked, names):
    assert found(**asked) == names


def test_filter_by_service_and_by_the_department_that_uses_it(register):
    assert found(service=str(register.services["Google Workspace"])) == {"Gmail", "Drive"}
    # Dora of Engineering uses Copilot; nobody of Sales uses anything.
    assert found(department=str(register.departments["Engineering"])) == {"Copilot"}
    assert found(department=str(register.departments["Sales"])) == set()
    assert found(service="2147483647") == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("state", "paid"),
        ("service", "abc"),
        ("service", "99999999999999999999"),
        ("department", "-1"),
        ("currency", "XXQ"),
        ("days", "-1"),
        ("days", "3651"),
        ("days", "\N{SUPERSCRIPT TWO}"),
        ("q", "x" * 201),
        ("q", "a\x00b"),
        ("method", "a\ud800"),
    ],
)
def test_nonsense_is_refused_at_its_parameter(context, name, value):
    with pytest.raises(InvalidInput) as refused:
        RegisterFilter.parse({name: value, "state": "expired"} if name != "state" else {name: value})
    assert set(refused.value.fields) == {name}


def test_filter_is_written_as_an_address_and_in_words(register):
    key = str(register.services["Google Workspace"])
    asked = {"state": "renewal_due", "service": key, "currency": "EUR", "days": "1", "q": "mail"}
    chosen = RegisterFilter.parse(asked)
    assert chosen.as_args() == asked
    assert chosen.describe() == {
        "state": "Renewal due",
        "service": "Google Workspace",
        "currency": "EUR",
        "days": "Expires within 1 day",
        "q": "\N{LEFT DOUBLE QUOTATION MARK}mail\N{RIGHT DOUBLE QUOTATION MARK}",
    }
    assert RegisterFilter().describe() == RegisterFilter().as_args() == {}


def test_alice_finds_nothing_beyond_her_services(register, viewer_of):
    with viewing_as(viewer_of("alice")):
        assert found(method="Credit card") == {"Gmail"}
        assert found(department=str(register.departments["Engineering"])) == set()
    with viewing_as(viewer_of("charlie")):
        assert found() == set()
