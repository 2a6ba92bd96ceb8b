"""What people write, brought to one spelling, and what is said of the rest."""

from decimal import Decimal

import pytest

from app.payments import terms


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("6", "6"),
        (" 6.00 ", "6"),
        (7, "7"),
        (6.1, "6.1"),
        (0, "0"),
        ("+1.5", "1.5"),
        (Decimal("1.250"), "1.25"),
    ],
)
def test_amount_is_read(written, kept):
    assert terms.amount_of(written) == Decimal(kept)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "x",
        "1,000.00",
        "1e3",
        "NaN",
        "Infinity",
        "-1",
        "-0.01",
        True,
        [],
        "1.",
        ".5",
        "1_0",
        "٣",
        10**12,
        2**70,
    ],
)
def test_amount_that_is_none_is_refused(written):
    with pytest.raises(ValueError, match=r"^(Enter a number|An amount)"):
        terms.amount_of(written)


def test_currency_is_one_of_iso_4217():
    assert [terms.currency_named(one) for one in ("usd", " EUR ", "Jpy")] == ["USD", "EUR", "JPY"]
    for unknown in ("XYZ", "EURO", "DEM", "XAU", "XXX", "", "$", "U5D"):
        with pytest.raises(ValueError, match="code of a currency"):
            terms.currency_named(unknown)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("credit_card", "Credit card"),
        ("CREDIT-CARD", "Credit card"),
        (" bank  transfer", "Bank transfer"),
        ("paypal", "PayPal"),
        ("Company barter", "Company barter"),
    ],
)
def test_common_method_has_one_spelling(written, kept):
    assert terms.method_named(written) == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Monthly", "monthly"),
        ("quarterly ", "quarterly"),
        ("annual", "yearly"),
        ("ANNUALLY", "yearly"),
        ("once", "one_off"),
        ("one-time", "one_off"),
        ("One Time", "one_off"),
        ("one_off", "one_off"),
        ("one-off", "one_off"),
        ("every_6_months", "every_6_months"),
        ("Every 1 month", "every_1_months"),
        ("every-120-months", "every_120_months"),
    ],
)
def test_frequency_has_one_spelling(written, kept):
    assert terms.frequency_named(written) == kept
    assert terms.frequency_named(kept) == kept


@pytest.mark.parametrize(
    "written", ["weekly", "every_0_months", "every_121_months", "every_06_months", "6", "٣"]
)
def test_unknown_frequency_is_told_what_is_known(written):
    with pytest.raises(ValueError, match="monthly, quarterly, yearly, one_off"):
        terms.frequency_named(written)


@pytest.mark.parametrize("written", ["424", "42424", "x424", "٤٢٤٢", "4 24"])
def test_four_digits_are_four_digits(written):
    with pytest.raises(ValueError, match="last four"):
        terms.last_four_of(written)


@pytest.mark.parametrize("written", ["31/12/2031", "2031-02-30", "20311231", "2031-W01-1", 5, ""])
def test_date_has_one_order(written):
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        terms.day_of(written)


@pytest.mark.parametrize("written", [-1, 3651, "x", True, "1.5", 2**70])
def test_notice_is_a_number_of_days(written):
    assert terms.notice_of("30") == 30
    with pytest.raises(ValueError, match="number of days"):
        terms.notice_of(written)
