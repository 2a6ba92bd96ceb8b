"""Card numbers do not belong here: no text takes one, whatever stands around it."""

from datetime import date, timedelta

import pytest
from marshmallow import ValidationError

from app.directory import operations as directory
from app.directory.models import Group, Person, SignInSession
from app.foundation import card_numbers
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.schemas import no_card_number

# Numbers that the card schemes publish for tests.
CARDS = ["4111111111111111", "378282246310005", "30569309025904", "6011111111111117", "5555555555554444",
         "4222222222222", "6304000000000000"]  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "card {}.",
        "card_{}",
        "Card-{}",
        "ref 12, {}",
        "a\n{}\nb",
        "{} 12/31",
        "https://x.test/?n={}&x=1",
    ],
)
def test_card_number_is_refused(number, text):
    with pytest.raises(ValidationError, match="payment card"):
        no_card_number(text.format(number))


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111 - 1111 - 1111 - 1111",
        "4111\N{NO-BREAK SPACE}1111\N{EN DASH}1111 1111",
        "3782 822463 10005",
        "12 4111 1111 1111 1111",
        "4111 1111 1111 1111 123",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "\N{FULLWIDTH DIGIT FOUR}111111111111111",
    ],
)
def test_card_number_is_refused_however_it_is_written(text):
    with pytest.raises(ValidationError):
        no_card_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4111 1111 1111 1112",
        "411111111111",
        "41111111111111111111",
        "From 2031-01-01, call +1 555 010 9999",
        "4111.1111.1111.1111",
        "4111 1111 and 1111 1111",
        "card4111111111111111",
        "4111111111111111th",
        "INV4111111111111111",
        "deadbeef4111111111111111",
        "0x4111111111111111",
        "4222222222222abcdef",
        "41111111-1111-4111-8111-411111111111",
        "a 4111111111111111é",
        "9" * 70_000,
        "9" * 70_000 + "a",
        "1 " * 30_000,
    ],
)
def test_other_digits_are_none_of_its_business(text):
    no_card_number(text)


def test_days_are_no_card_number():
    """Two of them side by side have sixteen digits."""
    for number in range(400):
        day, other = date(2026, 1, 1) + timedelta(days=number), date(2031, 12, 1) + timedelta(days=7 * number)
        no_card_number(f"{day} {other}")
        no_card_number(f"{day} \N{EN DASH} {other}")
    with pytest.raises(ValidationError):
        no_card_number("2026-01-01 4111-1111-1111-1111")


def test_session_writes_none_whoever_forgot_to_ask(context):
    db.session.add(Group(name="Finance", label="4111 1111 1111 1111"))
    with pytest.raises(InvalidInput) as refusal:
        db.session.flush()
    assert refusal.value.fields == {"label": card_numbers.MESSAGE}
    db.session.rollback()
    group = Group(name="Finance")
    db.session.add(group)
    db.session.flush()
    group.description = "5555555555554444"
    with pytest.raises(InvalidInput):
        db.session.commit()


def test_what_the_portal_makes_itself_is_never_refused(context, world):
    account = directory.ensure_account(db.session.get(Person, world.people["dora"]))
    db.session.add(SignInSession(id="4111-1111-1111-1111", account_id=account.id, client="4111111111111111"))
    db.session.commit()


def test_log_of_what_was_typed_holds_none():
    assert card_numbers.masked("4111 1111 1111 1111@x.test") == "(card number)@x.test"
    assert card_numbers.masked("4111 1111 1111 1112") == "4111 1111 1111 1112"
