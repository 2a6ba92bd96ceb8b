"""The register as a page: what it shows to whom, how fast it is at 2,000 products, and what its cells and bulk changes do."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from app.audit.models import AuditEntry
from app.directory.models import Role
from app.foundation import clock
from app.foundation.database import db
from app.inventory.models import Product, Service
from app.payments import operations as payments
from app.payments import queries, register_queries
from app.payments import rates_operations as rates
from app.payments.filters import RegisterFilter
from app.payments.models import PaymentInfo

JSON = {"Accept": "application/json"}
KNOWN = {
    "amount": "120.00",
    "currency": "EUR",
    "cardholder_name": "Jane Doe",
    "card_last4": "4242",
    "payment_method": "Credit card",
    "renewal_frequency": "monthly",
}


@pytest.fixture
def keys(app, world):
    """The payment of each product; Gmail's and Copilot's are complete."""
    with app.app_context():
        for name in ("Gmail", "Copilot"):
            expiry = clock.today() + timedelta(days=400)
            payments.change_payment(queries.payment_of(world.products[name]), **KNOWN, expiry_date=expiry)
        db.session.commit()
        return {name: queries.payment_of(key).id for name, key in world.products.items()}


@pytest.fixture
def cell(root, app):
    """`cell(key, "amount", "7.00")` saves a cell as the page's script does."""

    def save(key, field, value, *, seen="", visitor=root, query=""):
        form = {"field": field, "value": value, "seen": seen}
        return visitor.post(f"/payments/row/{key}{query}", form, headers=JSON)

    return save


def seen_in(page: str, key: int) -> str:
    return re.search(rf'data-row="{key}" data-seen="([^"]+)"', page)[1]


def names_in(page: str) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]+)<', page)


def grant(app) -> None:
    """Let ServiceAdministrators read, as an Admin does on the role page; even more than they should be given."""
    with app.app_context():
        security = app.appbuilder.sm
        role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
        for permission in ("can_read", "can_edit"):
            security.add_permission_role(role, security.find_permission_view_menu(permission, "PaymentInfo"))
        db.session.commit()


def test_incomplete_comes_first_then_service_and_product(root, keys):
    page = root.get("/payments/list/").text
    assert names_in(page) == ["GitHub Enterprise", "Drive", "Slack Business", "Copilot", "Gmail"]
    assert page.count("240.00") == 1
    assert "2,880.00 a year" in page


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("state=complete", ["Copilot", "Gmail"]),
        ("q=drive", ["Drive"]),
        ("method=Credit+card&sort=-product", ["Gmail", "Copilot"]),
        ("sort=-amount", ["Copilot", "Gmail", "GitHub Enterprise", "Drive", "Slack Business"]),
        ("sort=service&currency=EUR", ["Copilot", "Gmail"]),
        ("sort=-state", ["Copilot", "Gmail", "GitHub Enterprise", "Drive", "Slack Business"]),
        ("page=9", []),
        ("state=expired", []),
    ],
)
def test_page_filters_and_sorts(root, keys, query, names):
    assert names_in(root.get(f"/payments/list/?{query}").text) == names


@pytest.mark.parametrize(
    "query", ["state=paid", "sort=id", "sort=password", "page=0", "page=x", "days=-1", "service=x"]
)
def test_nonsense_in_the_address_is_refused(root, query):
    assert root.get(f"/payments/list/?{query}").status_code == 422


def test_totals_and_counts_are_of_what_is_filtered(context, keys):
    register_queries.row_of(keys["Gmail"])
    payments.change_payment(
        queries.payment_of(_product("Drive")), amount="10", renewal_frequency="every_6_months"
    )
    payments.change_payment(
        queries.payment_of(_product("Slack Business")),
        amount="5",
        currency="EUR",
        renewal_frequency="one_off",
    )
    found = {one.currency: one for one in register_queries.totals(RegisterFilter())}
    assert (found["EUR"].count, found["EUR"].amount, found["EUR"].per_year) == (
        3,
        Decimal(245),
        Decimal(2880),
    )
    assert (found["USD"].count, found["USD"].amount, found["USD"].per_year) == (1, Decimal(10), Decimal(20))
    [only] = register_queries.totals(RegisterFilter(state="complete"))
    assert (only.currency, only.count) == ("EUR", 2)
    counts = register_queries.counts_by_state(RegisterFilter(state="complete", currency="EUR"))
    assert (counts["complete"], counts["incomplete"], counts["expired"]) == (2, 1, 0)


def test_totals_are_summed_in_the_companys_currency_as_soon_as_every_rate_is_known(app, root, keys, cell):
    assert cell(keys["Drive"], "amount", "100").status_code == 200
    page = root.get("/payments/list/").text
    assert "No exchange rate for EUR." in page
    with app.app_context():
        rates.create_rate(currency="EUR", day="2026-01-02", rate="1.25")
        db.session.commit()
    page = root.get("/payments/list/").text
    for shown in ("All in USD", "400.00", "3,600.00 a year", "at 1.25 of 2 Jan 2026"):
        assert shown in page
    assert "All in" not in root.get("/payments/list/?currency=USD").text


def _product(name: str) -> int:
    return db.session.scalars(select(Product.id).where(Product.name == name)).one()


def test_cell_is_saved_with_the_state_the_counts_and_the_badge(app, root, keys, cell):
    page = root.get("/payments/list/").text
    assert '3<span class="sr-only"> incomplete</span>' in page
    for field, value in (
        ("amount", " 1250.5 "),
        ("payment_method", "bank-transfer"),
        ("cardholder_name", "Jane"),
        ("auto_renew", "no"),
        ("renewal_frequency", "every 6 months"),
    ):
        assert cell(keys["Drive"], field, value).status_code == 200
    answer = cell(keys["Drive"], "expiry_date", "2031-03-31", query="?state=complete")
    assert answer.json["incomplete"] == answer.json["counts"]["incomplete"] == 2
    assert answer.json["counts"]["complete"] == 3
    for shown in ("Complete", "1,250.50", "Bank transfer", "31 Mar 2031", "Every 6 months", ">No<"):
        assert shown in answer.json["row"]
    assert "USD · 1 payment" in answer.json["totals"]
    with app.app_context():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "payment_info.update")
        ).all()
        assert (entries[-1].before, entries[-1].after) == (
            {"expiry_date": None},
            {"expiry_date": "2031-03-31"},
        )
        assert entries[-1].actor_name == "Root"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", "-5", "negative"),
        ("amount", "1000000000000", "at most"),
        ("amount", "12,50", "such as 1250.00"),
        ("amount", "1.005", "digits after the point"),
        ("currency", "XXQ", "code of a currency"),
        ("expiry_date", "31/12/2031", "YYYY-MM-DD"),
        ("card_last4", "4111111111111111", "payment card"),
        ("cardholder_name", "4111 1111 1111 1111", "payment card"),
        ("payment_method", "x" * 101, "At most 100"),
        ("renewal_frequency", "weekly", "every_N_months"),
        ("notice_days", "-1", "number of days"),
    ],
)
def test_cell_says_why_it_refuses(app, keys, cell, field, value, said):
    answer = cell(keys["Gmail"], field, value)
    assert answer.status_code == 422
    [fault] = answer.json["detail"]
    assert (fault["field"], said in fault["message"]) == (field, True)


def test_cell_refuses_a_renewal_that_is_over(keys, cell):
    assert cell(keys["Gmail"], "auto_renew", "no").status_code == 200
    answer = cell(keys["Gmail"], "next_renewal_date", "2020-01-01")
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "next_renewal_date")


@pytest.mark.parametrize(
    ("field", "seen"), [("product_id", ""), ("", ""), ("amount", "yesterday"), ("amount", "2026-01-01")]
)
def test_cell_refuses_what_is_no_field_or_no_version(keys, cell, field, seen):
    assert cell(keys["Gmail"], field, "1", seen=seen).status_code == 422


def test_second_of_two_is_told_and_shown_both_values(root, keys, cell):
    seen = seen_in(root.get("/payments/list/").text, keys["Gmail"])
    assert cell(keys["Gmail"], "amount", "20.00", seen=seen).status_code == 200
    answer = cell(keys["Gmail"], "amount", "30.00", seen=seen)
    assert (answer.status_code, answer.json["by"]) == (409, "Root")
    assert ">20.00<" in answer.json["row"]
    assert "Root has changed Gmail" in answer.json["message"]
    # What both have written is no conflict; keeping one's own is a choice made on the new version.
    assert cell(keys["Gmail"], "amount", "20", seen=seen).status_code == 200
    newer = seen_in(answer.json["row"], keys["Gmail"])
    assert cell(keys["Gmail"], "amount", "30.00", seen=newer).status_code == 200


def test_form_without_script_shows_both_values_and_saves_when_sent_again(root, keys, cell):
    form = {**KNOWN, "amount": "30.00", "auto_renew": "y", "expiry_date": "2031-03-31"}
    page = root.get(f"/payments/edit/{keys['Gmail']}").text
    seen = re.search(r'name="updated_at"[^>]*value="([^"]+)"', page)[1]
    assert cell(keys["Gmail"], "amount", "20.00").status_code == 200
    answer = root.post(f"/payments/edit/{keys['Gmail']}", {**form, "updated_at": seen})
    assert answer.status_code == 422
    assert "Root has changed this to 20.00. Save again to keep yours." in answer.text
    assert 'value="30.00"' in answer.text
    newer = re.search(r'name="updated_at"[^>]*value="([^"]+)"', answer.text)[1]
    assert root.post(f"/payments/edit/{keys['Gmail']}", {**form, "updated_at": newer}).status_code == 302
    assert "30.00" in root.get("/payments/list/?q=Gmail").text


def test_whoever_may_only_read_sees_theirs_and_changes_nothing(app, alice, bob, keys, cell):
    assert alice.get("/payments/list/").status_code == 403
    grant(app)
    page = alice.get("/payments/list/").text
    assert names_in(page) == ["Drive", "Gmail"]
    for tool in ("data-editable", "data-check", "/payments/edit/", "/payments/bulk", "data-save"):
        assert tool not in page
    assert cell(keys["Gmail"], "amount", "1", visitor=alice).status_code == 403
    assert cell(keys["Copilot"], "amount", "1", visitor=alice).status_code == 404
    done = alice.post(
        "/payments/bulk",
        {
            "ids": keys["Gmail"],
            "cardholder_name": "Me",
            "apply": "1",
            "previewed": "cardholder_name=Me",
            "seen": f"{keys['Gmail']} {clock.now().isoformat()}",
        },
    )
    assert done.status_code in {403, 422}
    assert alice.get("/payments/list/?q=Copilot").text.count("row-link") == 0
    assert bob.get("/payments/list/").status_code == 403
    with app.app_context():
        assert queries.payment_of(_product("Gmail")).cardholder_name == "Jane Doe"


class Bulk:
    """The form of a change to several rows, step by step as a browser without scripts takes them."""

    def __init__(self, visitor, keys, **fields):
        self.visitor, self.form = visitor, {"ids": keys, **fields}

    def preview(self):
        answer = self.visitor.post("/payments/bulk", {**self.form, "preview": "1"})
        self.form["seen"] = re.findall(r'name="seen" value="([^"]+)"', answer.text)
        self.form["previewed"] = "".join(re.findall(r'name="previewed" value="([^"]*)"', answer.text))
        return answer

    def apply(self, **changed):
        return self.visitor.post("/payments/bulk?state=complete", {**self.form, **changed, "apply": "1"})


def stored(app, name: str) -> PaymentInfo:
    with app.app_context():
        return queries.payment_of(_product(name))


def test_bulk_change_is_previewed_then_done(app, root, keys):
    assert (
        "Change 3 payments"
        in root.get(
            "/payments/bulk?" + "&".join(f"ids={keys[name]}" for name in ("Gmail", "Copilot", "Drive"))
        ).text
    )
    bulk = Bulk(
        root,
        [keys[name] for name in ("Gmail", "Copilot", "Drive")],
        card_last4="4242",
        cardholder_name="Jane Doe",
        expiry_date="2031-03-31",
    )
    page = bulk.preview()
    assert page.status_code == 200
    assert "3 of 3 would change" in page.text
    assert "<ins>31 Mar 2031</ins>" in page.text
    assert stored(app, "Drive").cardholder_name is None
    answer = bulk.apply()
    assert (answer.status_code, answer.headers["Location"]) == (302, "/payments/list/?state=complete")
    assert {str(stored(app, name).expiry_date) for name in ("Gmail", "Copilot", "Drive")} == {"2031-03-31"}
    assert stored(app, "Drive").cardholder_name == "Jane Doe"
    assert stored(app, "Drive").payment_method is None


def test_bulk_change_names_what_is_so_already(root, keys):
    page = Bulk(root, [keys["Gmail"], keys["Drive"]], cardholder_name="Jane Doe").preview().text
    assert "1 of 2 would change" in page
    assert "Nothing: it is so already" in page


def test_bulk_change_is_all_or_nothing(app, root, keys, cell):
    bulk = Bulk(root, [keys["Gmail"], keys["Copilot"]], cardholder_name="Nora")
    bulk.preview()
    assert cell(keys["Copilot"], "amount", "7.00").status_code == 200
    answer = bulk.apply()
    assert answer.status_code == 422
    assert "Root has changed Copilot since you loaded it." in answer.text
    assert stored(app, "Gmail").cardholder_name == "Jane Doe"
    # The page shows the rows as they are now, so that what is applied next is what was looked at.
    bulk.preview()
    assert bulk.apply().status_code == 302
    assert stored(app, "Copilot").cardholder_name == "Nora"


def test_bulk_change_is_not_applied_as_it_was_not_previewed(app, root, keys):
    bulk = Bulk(root, [keys["Gmail"]], cardholder_name="Nora")
    bulk.preview()
    answer = bulk.apply(cardholder_name="Somebody")
    assert answer.status_code == 422
    assert "after the preview" in answer.text
    assert stored(app, "Gmail").cardholder_name == "Jane Doe"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Fill in what is to change"),
        ({"expiry_date": "31/12/2031"}, "YYYY-MM-DD"),
        ({"card_last4": "42424"}, "last four digits"),
        ({"cardholder_name": "4111 1111 1111 1111"}, "payment card"),
    ],
)
def test_bulk_change_refuses_at_the_field(root, keys, fields, said):
    answer = Bulk(root, [keys["Gmail"]], **fields).preview()
    assert (answer.status_code, said in answer.text) == (422, True)


def test_bulk_change_needs_rows_that_are_there(root, keys):
    for path in (
        "/payments/bulk",
        "/payments/bulk?ids=x",
        "/payments/bulk?ids=999999",
        "/payments/bulk?all=1&q=nothing",
    ):
        assert root.get(path).status_code == 422
    assert "Change 2 payments" in root.get("/payments/bulk?all=1&state=complete").text
    hostile = {"ids": keys["Gmail"], "cardholder_name": "N", "previewed": "cardholder_name=N", "apply": "1"}
    for seen in ("x y", f"{keys['Gmail']} soon", f"{keys['Gmail']}", "999999 2026-01-01T00:00:00+00:00", []):
        assert root.post("/payments/bulk", {**hostile, "seen": seen}).status_code in {404, 422}


def test_every_row_that_matches_is_at_most_500(app, root, keys):
    enlarge(app, 501)
    answer = root.get("/payments/bulk?all=1")
    assert answer.status_code == 422
    assert "At most 500" in answer.text


def enlarge(app, size: int) -> None:
    """As many more products, each with its payment, all of one service."""
    with app.app_context():
        service = db.session.execute(insert(Service).values(name="Many").returning(Service.id)).scalar_one()
        rows = [
            {"service_id": service, "name": f"Product {number}", "status": "active"} for number in range(size)
        ]
        keys = db.session.execute(insert(Product).returning(Product.id), rows).scalars().all()
        filled = {**KNOWN, "amount": Decimal(12), "expiry_date": clock.today() + timedelta(days=90)}
        db.session.execute(insert(PaymentInfo), [{"product_id": key, **filled} for key in keys])
        db.session.commit()


def test_page_costs_the_same_at_any_length(app, root, keys, statements):
    with statements() as few:
        root.get("/payments/list/")
    enlarge(app, 2_000)
    with statements() as many:
        answer = root.get("/payments/list/")
    assert len(many) == len(few) <= 18
    assert len(answer.data) < 300_000
    assert answer.text.count("<tr data-row=") == 50
    assert "1\N{EN DASH}50 of 2005" in answer.text
    with statements() as saved:
        root.post(f"/payments/row/{keys['Gmail']}", {"field": "amount", "value": "9.00"}, headers=JSON)
    assert len(saved) <= 14
