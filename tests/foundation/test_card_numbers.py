"""Card numbers do not belong here: no text takes one, whatever stands around it."""

import pytest
from marshmallow import ValidationError

from app.foundation.schemas import no_card_number

# Numbers that the card schemes publish for tests.
CARDS = ["4111111111111111", "378282246310005", "30569309025904", "6011111111111117", "5555555555554444",
         "4222222222222", "6304000000000000"]  # fmt: skip


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize(
    "text",
    ["{}", "card{}.", "ref 12, {}", "a\n{}\nb", "{} 12/31", "https://x.test/?n={}&x=1"],
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
        "9" * 70_000,
        "1 " * 30_000,
    ],
)
def test_other_digits_are_none_of_its_business(text):
    no_card_number(text)
