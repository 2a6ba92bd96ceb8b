"""Exchange rates: written down, imported whole or not at all, and what sums are made of them."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation import clock, currencies
from app.foundation.database import db
from app.foundation.errors import Forbidden, InvalidInput, PayloadTooLarge
from app.foundation.viewer import viewing_as
from app.payments import rates_import
from app.payments import rates_operations as rates
from app.payments.rates_models import ExchangeRate
from app.payments.rates_queries import rate_book, totals_in_company_currency

FIRST, SECOND, THIRD = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
GOOD = "date,currency,rate\n2026-01-01,EUR,1.10\n2026-01-01,gbp,1.25\n"


def count() -> int:
    return db.session.scalar(select(func.count(ExchangeRate.id)))


@pytest.fixture
def known(context):
    rates.create_rate(currency="EUR", day=FIRST, rate="1.10")
    rates.create_rate(currency="EUR", day=THIRD, rate="1.20")
    rates.create_rate(currency="JPY", day=FIRST, rate="0.0066666666")
    return context


def test_total_names_each_rate_and_its_day(known):
    total = totals_in_company_currency(
        {"EUR": Decimal(100), "USD": Decimal("5.50"), "JPY": Decimal(1000)}, SECOND
    )
    assert (total.currency, total.amount, total.missing) == ("USD", Decimal("122.17"), ())
    assert [(one.currency, one.rate, one.day, one.converted) for one in total.parts] == [
        ("USD", 1, None, Decimal("5.50")),
        ("EUR", Decimal("1.10"), FIRST, Decimal("110.00")),
        ("JPY", Decimal("0.0066666666"), FIRST, Decimal("6.67")),
    ]


def test_without_a_rate_there_is_no_sum_and_it_says_which_is_missing(known):
    total = totals_in_company_currency({"EUR": Decimal(1), "GBP": Decimal(1), "CHF": Decimal(2)}, THIRD)
    assert (total.amount, total.missing) == (None, ("CHF", "GBP"))
    assert [one.currency for one in total.parts] == ["EUR"]
    assert totals_in_company_currency({"EUR": Decimal(1)}, FIRST - timedelta(days=1)).missing == ("EUR",)


def test_what_is_shown_adds_up(known):
    rates.create_rate(currency="GBP", day=FIRST, rate="1.005")
    total = totals_in_company_currency({"EUR": Decimal("0.05"), "GBP": Decimal(1)}, FIRST)
    assert total.amount == sum(one.converted for one in total.parts) == Decimal("1.07")


def test_nothing_sums_to_nothing_in_no_statement(known, statements):
    with statements() as seen:
        assert totals_in_company_currency({}, FIRST).amount == 0
        assert totals_in_company_currency({"USD": Decimal(3)}, FIRST).amount == 3
    assert seen == []


def test_many_days_cost_one_statement(known, statements):
    with statements() as seen:
        book = rate_book({"EUR", "JPY", "USD"}, SECOND, THIRD + timedelta(days=30))
        found = [book.rate_on("EUR", day) for day in (SECOND, THIRD - timedelta(days=1), THIRD)]
    assert found == [(Decimal("1.10"), FIRST), (Decimal("1.10"), FIRST), (Decimal("1.20"), THIRD)]
    assert len(seen) == 1


def test_rates_into_another_currency_do_not_count(known):
    known.config["CURRENCY"] = "CHF"
    try:
        assert totals_in_company_currency({"EUR": Decimal(1)}, THIRD).missing == ("EUR",)
        rates.create_rate(currency="USD", day=FIRST, rate="0.9")
        assert totals_in_company_currency({"USD": Decimal(10)}, THIRD).amount == 9
    finally:
        known.config["CURRENCY"] = "USD"


def test_only_an_admin_writes_rates_and_everybody_s_totals_use_them(known, viewer_of):
    [eur, *_] = db.session.scalars(select(ExchangeRate).order_by(ExchangeRate.id))
    with viewing_as(viewer_of("alice")):
        assert totals_in_company_currency({"EUR": Decimal(1)}, FIRST).amount == Decimal("1.10")
        for attempt in (
            lambda: rates.create_rate(currency="GBP", day=FIRST, rate="1"),
            lambda: rates.change_rate(eur, rate="2"),
            lambda: rates.remove_rate(eur),
            lambda: rates_import.import_rates(GOOD.encode()),
        ):
            with pytest.raises(Forbidden):
                attempt()
    with viewing_as(viewer_of("root")):
        rates.change_rate(eur, rate="2")
        rates.remove_rate(eur)
    assert count() == 2


@pytest.mark.parametrize(
    "rate", ["0", "-1", "1,05", "x", "", None, True, "1e3", "NaN", "1.00000000001", "10000000000"]
)
def test_rate_that_is_none_is_refused(context, rate):
    with pytest.raises(InvalidInput) as refused:
        rates.create_rate(currency="EUR", day=FIRST, rate=rate)
    assert set(refused.value.fields) == {"rate"}


def test_everything_wrong_is_told_at_once(context):
    with pytest.raises(InvalidInput) as refused:
        rates.create_rate(currency="USD", day=clock.today() + timedelta(days=400), rate="0")
    assert set(refused.value.fields) == {"currency", "day", "rate"}
    assert "own currency" in refused.value.fields["currency"]


def test_file_is_taken_and_taken_again(context):
    assert rates_import.import_rates(GOOD.encode("utf-8-sig")) == rates_import.Imported(new=2)
    again = "Rate;Note;Currency;Date\r\n1.11;x;EUR;2026-01-01\r\n\r\n1.25;;GBP;2026-01-01\r\n0.9;;CHF;2026-01-02\r\n"
    assert rates_import.import_rates(again.encode()) == rates_import.Imported(new=1, changed=1, unchanged=1)
    db.session.commit()
    assert count() == 3
    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action.startswith("exchange_rate")).order_by(AuditEntry.id)
    ).all()
    changed = next(one for one in entries if one.action == "exchange_rate.update")
    assert Decimal(changed.before["rate"]) == Decimal("1.10")
    assert [one.after for one in entries if one.action == "exchange_rate.import"][-1] == {
        "new": 1, "changed": 1, "unchanged": 1,
    }  # fmt: skip


def test_every_line_that_does_not_fit_is_named_and_none_is_taken(context):
    text = GOOD + "31/12/2025,EUR,1\n2026-01-02,XXX,0\n2026-01-01,EUR,1.1\n2026-01-03\n"
    with pytest.raises(InvalidInput) as refused:
        rates_import.import_rates(text.encode())
    said = refused.value.fields
    assert list(said) == ["line 4", "line 5", "line 6", "line 7"]
    assert "YYYY-MM-DD" in said["line 4"]
    assert said["line 5"].startswith("currency: Enter the code")
    assert "rate: Enter a rate above 0" in said["line 5"]
    assert said["line 6"] == "EUR on 2026-01-01 stands in line 2 already."
    assert count() == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is missing"),
        (b"date,currency\n2026-01-01,EUR\n", "rate is missing"),
        (b"date,currency,rate\n", "no rate"),
        (b"\xff\xfed\x00", "UTF-8"),
        (b"date,currency,rate\n\x00", "no CSV"),
        (b'date,currency,rate\n"2026-01-01,EUR,1\n', "can't be read"),
        (b"date,currency,rate\n" + b"2026-01-01,EUR,1\n" * 5_001, "at most 5,000"),
    ],
)
def test_file_that_is_none_says_so(context, content, said):
    with pytest.raises(InvalidInput) as refused:
        rates_import.import_rates(content)
    assert said in refused.value.fields["file"]


def test_file_that_is_too_large_is_refused(context):
    with pytest.raises(PayloadTooLarge):
        rates_import.import_rates(b"x" * (rates_import.LARGEST_FILE + 1))


def test_many_faults_are_counted_and_the_first_shown(context):
    with pytest.raises(InvalidInput, match=r"60 lines do not fit \(the first 50") as refused:
        rates_import.import_rates(b"date,currency,rate\n" + b"x,y,z\n" * 60)
    assert len(refused.value.fields) == 50


def test_pages_take_a_rate_and_a_file(root, charlie, alice):
    form = {"currency": "EUR", "day": "2026-01-01", "rate": "1.0842"}
    assert root.post("/exchange-rates/add", form).status_code == 302
    assert root.post("/exchange-rates/add", form).status_code == 422
    page = root.get("/exchange-rates/list/").text
    for shown in ("EUR", "1.0842", "1 Jan 2026", "/exchange-rates/import"):
        assert shown in page
    assert root.get("/exchange-rates/import").status_code == 200
    assert root.post("/exchange-rates/import").status_code == 422
    broken = {"file": (BytesIO(b"date,currency,rate\n2026-01-01,EUR,-1\n"), "rates.csv")}
    refused = root.post("/exchange-rates/import", broken)
    assert (refused.status_code, "Line 2: rate: Enter a number above 0" in refused.text) == (422, True)
    assert (
        root.post("/exchange-rates/import", {"file": (BytesIO(GOOD.encode()), "rates.csv")}).status_code
        == 302
    )
    assert "1 new, 1 changed, 0 as they were" in root.get("/exchange-rates/list/").text
    for visitor in (charlie, alice):
        assert visitor.get("/exchange-rates/list/").status_code == 403
        assert visitor.post("/exchange-rates/import").status_code == 403


def test_generated_api_keeps_rates(root, alice):
    made = root.api("POST", "exchange-rates/", {"currency": "eur", "day": "2026-01-01", "rate": "1.0842"})
    assert made.status_code == 201
    assert {**made.json["result"], "id": 0} | {"created_at": "", "updated_at": ""} == {
        "id": 0, "currency": "EUR", "company_currency": "USD", "day": "2026-01-01", "rate": "1.0842000000",
        "created_at": "", "updated_at": "",
    }  # fmt: skip
    key = made.json["id"]
    assert root.api("PUT", f"exchange-rates/{key}", {"rate": 0}).json["detail"][0]["field"] == "rate"
    assert root.api("PUT", f"exchange-rates/{key}", {"rate": 1.5}).json["result"]["rate"] == "1.5000000000"
    again = {"currency": "EUR", "day": "2026-01-01", "rate": "1"}
    assert root.api("POST", "exchange-rates/", again).status_code == 409
    assert alice.api("GET", "exchange-rates/").status_code == 403
    assert root.api("DELETE", f"exchange-rates/{key}").status_code == 200


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [("1250.5", "USD", "USD 1,250.50"), ("1250", "JPY", "JPY 1,250"), ("0.1", "KWD", "KWD 0.100"), ("0", "EUR", "EUR 0.00"),
     ("999999999999.999", "KWD", "KWD 999,999,999,999.999")],
)  # fmt: skip
def test_amounts_are_written_as_people_write_them(amount, currency, shown):
    assert currencies.for_people(Decimal(amount), currency) == shown
