"""What is exported: the rows that one may see and asked for, in cells that are what they say."""

import csv
import io
from datetime import datetime

import openpyxl
import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.inventory import operations as inventory
from app.payments import operations as payments
from app.payments import queries
from app.payments.sheets import guarded, unguarded
from tests.payments.paying import grant_reading

WHOLE = {
    "amount": "1250.50",
    "currency": "EUR",
    "cardholder_name": "=cmd|' /C calc'!A0",
    "card_last4": "0042",
    "expiry_date": "2031-03-31",
    "payment_method": "Credit card",
    "renewal_frequency": "yearly",
    "next_renewal_date": "2031-01-31",
    "auto_renew": False,
    "notice_days": 30,
}


@pytest.fixture
def gmail(app, world):
    """The payment of Gmail, complete, with a holder that a spreadsheet might run."""
    with app.app_context():
        payments.change_payment(queries.payment_of(world.products["Gmail"]), **WHOLE)
        db.session.commit()
    return world.products["Gmail"]


def as_csv(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.data.startswith(b"\xef\xbb\xbf"), "Excel would read it in the encoding of the machine"
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))


def test_csv_has_every_product_and_nothing_that_runs(root, gmail):
    answer = root.get("/payments/export/csv")
    rows = as_csv(answer)
    assert len(rows) == 5
    row = next(one for one in rows if one["Product"] == "Gmail")
    assert row == {
        "Product ID": str(gmail),
        "Service": "Google Workspace",
        "Product": "Gmail",
        "State": "complete",
        "Amount": "1250.50",
        "Currency": "EUR",
        "Holder": "'=cmd|' /C calc'!A0",
        "Card ends in": "0042",
        "Expires": "2031-03-31",
        "Method": "Credit card",
        "Renews": "yearly",
        "Next renewal": "2031-01-31",
        "Renews by itself": "no",
        "Notice in days": "30",
    }
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=payment-register-20")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_xlsx_has_numbers_dates_and_texts_that_are_no_formulas(root, gmail):
    answer = root.get("/payments/export/xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    heads = [cell.value for cell in sheet[1]]
    row = next(one for one in sheet.iter_rows(min_row=2) if one[2].value == "Gmail")
    cells = dict(zip(heads, row, strict=True))
    assert {
        name: cell.value for name, cell in cells.items() if name in {"Amount", "Expires", "Notice in days"}
    } == {
        "Amount": 1250.5,
        "Expires": datetime(2031, 3, 31),  # noqa: DTZ001 - a cell knows no zone
        "Notice in days": 30,
    }
    assert (cells["Holder"].data_type, cells["Holder"].value) == ("s", WHOLE["cardholder_name"])
    assert cells["Holder"].quotePrefix
    assert (cells["Card ends in"].data_type, cells["Card ends in"].value) == ("s", "0042")
    assert cells["Renews by itself"].value is False


def test_only_what_was_filtered_is_exported_and_the_log_says_so(app, root, gmail):
    rows = as_csv(root.get("/payments/export/csv?state=complete&currency=EUR"))
    assert [row["Product"] for row in rows] == ["Gmail"]
    assert root.get("/payments/export/csv?state=nonsense").status_code == 422
    with app.app_context():
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "payment_register.export")
        ).all()
    [entry] = entries
    assert entry.after == {"format": "csv", "rows": 1, "filter": {"state": "complete", "currency": "EUR"}}
    assert entry.actor_name == "Root"


def test_there_is_no_other_format(root):
    assert root.get("/payments/export/ods").status_code == 404


def test_export_needs_the_grant_and_holds_the_row_rule(app, root, alice, bob, charlie, gmail):
    for visitor in (alice, bob, charlie):
        assert visitor.get("/payments/export/csv").status_code == 403
    grant_reading(app)
    assert {row["Product"] for row in as_csv(alice.get("/payments/export/csv"))} == {"Gmail", "Drive"}
    assert bob.get("/payments/export/xlsx").status_code == 403


def test_statements_do_not_grow_with_the_rows(app, root, world, statements):
    root.get("/payments/export/csv")
    with statements() as few:
        root.get("/payments/export/csv")
    with app.app_context():
        for number in range(40):
            inventory.create_product(service_id=world.services["Slack"], name=f"Product {number}")
        db.session.commit()
    for kind in ("csv", "xlsx"):
        with statements() as many:
            root.get(f"/payments/export/{kind}")
        assert len(many) == len(few)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+49",
        "-5",
        "@me",
        "\tx",
        "\rx",
        "'quoted",
        "'=1",
        "''",
        "plain",
        "it's",
        "",
        "'s Hertogenbosch",
    ],
)
def test_guard_is_taken_off_again(text):
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(guarded(text)) == text
