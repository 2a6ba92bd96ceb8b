"""What was paid and what is expected: summed once, by every breakdown, in currencies that are not mixed without a rate."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.directory.models import Department, Role
from app.foundation import clock
from app.foundation.database import db
from app.foundation.viewer import viewing_as
from app.inventory import operations as inventory
from app.inventory.models import Service
from app.payments import operations as payments
from app.payments import queries, recording
from app.payments.filters import RegisterFilter
from app.payments.rates_models import ExchangeRate
from app.reports import spend
from app.reports.spend_charts import chart

NOW = date(2026, 3, 15)


@pytest.fixture(autouse=True)
def ides_of_march(monkeypatch):
    monkeypatch.setattr(clock, "today", lambda: NOW)


@pytest.fixture
def paid(app, world):
    """A year with two currencies, a correction, a void and something too old."""
    with app.app_context():

        def record(product: str, amount: str, day: str, **fields):
            return recording.record_payment(
                product_id=world.products[product], amount=amount, paid_on=day, **fields
            )

        record("Gmail", "10.00", "2025-04-01", method="Invoice")
        record("Gmail", "20.00", "2026-03-01", method="Invoice")
        record("Drive", "5.00", "2026-03-02", currency="EUR")
        record("GitHub Enterprise", "300.00", "2026-02-28", method="PayPal")
        record("Gmail", "999.00", "2025-03-31", method="Invoice")
        wrong = record("Slack Business", "70.00", "2026-01-31")
        recording.correct_payment(wrong, amount="7.00", note="Wrong")
        recording.correct_payment(record("Copilot", "50.00", "2026-01-31"), voids=True, note="Twice")
        db.session.commit()


@pytest.fixture
def rate(app):
    with app.app_context():
        db.session.add(ExchangeRate(currency="EUR", day=date(2026, 3, 1), rate=Decimal("1.2")))
        db.session.commit()


def amounts(made) -> dict:
    return {line.label: line.amounts for line in made.lines if line.amounts}


def usd(amount) -> dict:
    return {"USD": Decimal(amount)}


def test_months_are_twelve_with_this_one_and_hold_what_counts(context, paid):
    made = spend.by_month()
    assert [line.label for line in made.lines][::11] == ["Apr 2025", "Mar 2026"]
    assert amounts(made) == {
        "Apr 2025": usd(10),
        "Jan 2026": usd(7),
        "Feb 2026": usd(300),
        "Mar 2026": {"USD": Decimal(20), "EUR": Decimal(5)},
    }
    assert made.amounts == {"EUR": Decimal(5), "USD": Decimal(337)}


def test_services_and_methods(context, paid):
    assert amounts(spend.by_service()) == {
        "GitHub": usd(300),
        "Google Workspace": {"USD": Decimal(30), "EUR": Decimal(5)},
        "Slack": usd(7),
    }
    assert [line.label for line in spend.by_method().lines] == ["PayPal", "Invoice", "Not known"]


def test_department_bears_its_share_by_people_with_access(app, context, paid, world):
    inventory.grant_access(person_id=world.people["dora"], product_id=world.products["Gmail"])
    assert amounts(spend.by_department()) == {
        "Engineering": usd(15),
        "No department": usd(15),
        "Nobody has access": {"USD": Decimal(307), "EUR": Decimal(5)},
    }


def test_cost_per_person_counts_each_of_a_service_once(context, paid, world):
    for product in ("Gmail", "Drive"):
        inventory.grant_access(person_id=world.people["dora"], product_id=world.products[product])
    people = {line.label: line for line in spend.by_person().lines}
    google = people["Google Workspace"]
    assert (google.people, google.each(google.amounts["USD"])) == (2, Decimal(15))
    assert (people["Slack"].people, people["Slack"].each(Decimal(7))) == (0, None)


def test_sum_rests_on_a_rate_or_is_not_made(app, context, paid):
    made = spend.by_month()
    assert (made.total.amount, made.total.missing) == (None, ("EUR",))
    assert all(line.total is None for line in made.lines)


@pytest.mark.usefixtures("rate")
def test_sum_with_a_rate(context, paid):
    made = spend.by_month()
    assert made.total.amount == Decimal("343.00")
    assert made.lines[-1].total == Decimal("26.00")


def test_expected_follows_frequency_and_next_renewal(context, world):
    def enter(product: str, **fields) -> None:
        payments.change_payment(queries.payment_of(world.products[product]), **fields)

    enter("Gmail", amount="10.00", renewal_frequency="monthly", next_renewal_date="2026-03-31")
    enter("Drive", amount="10.00", renewal_frequency="monthly", next_renewal_date="2026-03-31")
    enter("Copilot", amount="100.00", renewal_frequency="yearly", next_renewal_date="2026-06-01")
    enter(
        "Slack Business",
        amount="30.00",
        renewal_frequency="quarterly",
        next_renewal_date="2027-02-28",
        currency="EUR",
    )
    enter(
        "GitHub Enterprise",
        amount="1.00",
        renewal_frequency="monthly",
        next_renewal_date="2026-05-05",
        auto_renew=False,
    )
    made = spend.expected()
    found = amounts(made)
    assert [line.label for line in made.lines][::11] == ["Mar 2026", "Feb 2027"]
    assert (found["Mar 2026"], found["Apr 2026"]) == (usd(20), usd(20))
    assert (found["May 2026"], found["Jun 2026"]) == (usd(21), usd(120))
    assert found["Feb 2027"] == {"USD": Decimal(20), "EUR": Decimal(30)}


@pytest.mark.parametrize(("name", "services"), [("root", 3), ("alice", 1), ("bob", 0), ("charlie", 0)])
def test_report_holds_the_row_rule(context, paid, viewer_of, name, services):
    with viewing_as(viewer_of(name)):
        for breakdown in (spend.by_service, spend.by_person):
            assert len(breakdown().lines) == services
        whole = {"root": Decimal(337), "alice": Decimal(30)}.get(name)
        for made in (spend.by_month(), spend.by_method(), spend.by_department()):
            assert made.amounts.get("USD") == whole


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_only_an_admin_opens_it_until_the_role_page_says_otherwise(app, visit, name):
    visitor = visit(name)
    for path in ("/spend/", "/spend/?by=people", "/spend/months.csv"):
        assert visitor.get(path).status_code == 403


@pytest.mark.usefixtures("paid")
def test_service_administrator_sees_theirs_when_granted(app, alice):
    with app.app_context():
        security = app.appbuilder.sm
        role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
        security.add_permission_role(role, security.find_permission_view_menu("can_read", "Spend"))
        db.session.commit()
    page = alice.get("/spend/?by=services").text
    assert "Google Workspace" in page
    assert "GitHub" not in page


@pytest.mark.usefixtures("paid")
@pytest.mark.parametrize("by", ["months", "services", "departments", "methods", "people"])
def test_page_has_a_chart_and_a_table(root, by, statements):
    with statements() as seen:
        page = root.get(f"/spend/?by={by}")
    assert page.status_code == 200
    assert len(seen) <= 12
    assert '<svg class="chart" role="img"' in page.text
    assert "There is no sum in USD: no rate of EUR is written down." in page.text
    assert root.get(f"/spend/?by={by}&currency=EUR").status_code == 200


@pytest.mark.usefixtures("paid", "rate")
def test_page_says_which_rates_a_sum_rests_on(root):
    page = root.get("/spend/").text
    assert "USD 343.00" in page
    assert "EUR 1.2" in page
    assert "1 Mar 2026" in page


def test_empty_report_says_what_to_do(root):
    page = root.get("/spend/").text
    assert "Nothing was paid" in page
    assert "Nothing is expected" in page


@pytest.mark.parametrize(
    "query", ["by=", "by=nobody", "by=services&currency=XYZ", "service=x", "currency=%27"]
)
def test_strange_questions_are_refused(root, query):
    assert root.get(f"/spend/?{query}").status_code == 422


@pytest.mark.usefixtures("paid", "rate")
def test_numbers_of_a_chart_come_as_csv_that_runs_nothing(app, root, world):
    with app.app_context():
        db.session.get(Service, world.services["Slack"]).name = "=HYPERLINK(1)"
        db.session.commit()
    answer = root.get("/spend/services.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == "attachment; filename=spend-services-2026-03-15.csv"
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows == [
        ["Services", "Currency", "Amount", "All in USD"],
        ["GitHub", "USD", "300.00", "300.00"],
        ["Google Workspace", "EUR", "5.00", "36.00"],
        ["Google Workspace", "USD", "30.00", "36.00"],
        ["'=HYPERLINK(1)", "USD", "7.00", "7.00"],
    ]
    assert root.get("/spend/nothing.csv").status_code == 404
    with app.app_context():
        assert db.session.scalar(select(AuditEntry.after).where(AuditEntry.action == "spend.export")) == {
            "rows": 3
        }


@pytest.mark.parametrize(
    ("chosen", "whole"),
    [
        ({"currency": "EUR"}, {"EUR": Decimal(5)}),
        ({"method": "Invoice"}, usd(30)),
        ({"service": "Google Workspace"}, {"USD": Decimal(30), "EUR": Decimal(5)}),
        ({"service": "Google Workspace", "currency": "USD"}, usd(30)),
        ({"department": "Engineering"}, usd(7)),
        ({"method": "Nothing like it"}, {}),
    ],
)
def test_filter_of_the_register_narrows_every_breakdown(context, paid, world, chosen, whole):
    inventory.grant_access(person_id=world.people["dora"], product_id=world.products["Slack Business"])
    department = db.session.scalar(select(Department.id).where(Department.name == "Engineering"))
    keys = {"Google Workspace": world.services["Google Workspace"], "Engineering": department}
    narrowed = RegisterFilter(**{name: keys.get(value, value) for name, value in chosen.items()})
    for name in ("months", "services", "departments", "methods", "people"):
        assert spend.BREAKDOWNS[name](narrowed).amounts == whole, name


def test_filter_narrows_what_is_expected(context, world):
    for product, currency in (("Gmail", "EUR"), ("Copilot", "USD")):
        payments.change_payment(
            queries.payment_of(world.products[product]),
            amount="10.00",
            currency=currency,
            payment_method="Invoice",
            renewal_frequency="yearly",
            next_renewal_date="2026-06-01",
        )
    for chosen, whole in (
        ({"currency": "EUR"}, {"EUR": Decimal(10)}),
        ({"service": world.services["GitHub"]}, usd(10)),
        ({"method": "Invoice"}, {"EUR": Decimal(10), "USD": Decimal(10)}),
        ({"method": "PayPal"}, {}),
    ):
        assert spend.expected(RegisterFilter(**chosen)).amounts == whole


@pytest.mark.usefixtures("paid")
def test_page_and_csv_show_what_is_filtered(app, root, world):
    query = f"service={world.services['Google Workspace']}&currency=EUR"
    page = root.get(f"/spend/?by=services&{query}").text
    assert "EUR 5.00" in page
    assert "Slack" not in page.partition("<section")[2]
    assert "There is no sum" not in page
    assert f"/spend/services.csv?{query.replace('&', '&amp;')}" in page
    rows = list(csv.reader(io.StringIO(root.get(f"/spend/services.csv?{query}").data.decode("utf-8-sig"))))
    assert rows[1:] == [["Google Workspace", "EUR", "5.00", ""]]
    with app.app_context():
        exported = db.session.scalar(select(AuditEntry.after).where(AuditEntry.action == "spend.export"))
    assert (exported["rows"], exported["currency"]) == (1, "EUR")
    assert "No payment fits all of these filters." in root.get("/spend/?method=Cheque").text


def test_filter_shows_nobody_what_is_not_theirs(context, paid, viewer_of, world):
    """A service that somebody does not administer is as one without payments."""
    with viewing_as(viewer_of("alice")):
        assert spend.by_month(RegisterFilter(service=world.services["GitHub"])).amounts == {}
        assert spend.by_month(RegisterFilter(service=world.services["Google Workspace"])).amounts != {}


@pytest.mark.parametrize("name", list(spend.BREAKDOWNS))
def test_every_breakdown_is_downloadable(root, paid, name):
    assert root.get(f"/spend/{name}.csv").status_code == 200


@pytest.mark.parametrize(
    ("most", "lines"),
    [
        ("0", ["0", "1"]),
        ("7", ["0", "2", "4", "6", "8"]),
        ("1900", ["0", "500", "1k", "1.5k", "2k"]),
        ("0.01", ["0", "0.1"]),
    ],
)
def test_scale_has_round_lines_and_holds_the_largest(most, lines):
    made = chart("Title", [("One", Decimal(most), most)])
    assert [said for said, _ in made.scale] == lines
    assert 0 <= made.bars[0].percent <= 100


def test_months_around_the_end_of_a_year():
    back, ahead = spend.months_around(date(2025, 12, 31))
    assert (back[0], back[-1], ahead[0], ahead[-1]) == (
        date(2025, 1, 1),
        date(2025, 12, 1),
        date(2025, 12, 1),
        date(2026, 11, 1),
    )
    assert back[-1] - back[0] > timedelta(days=300)
