"""Invoices: what is taken, how it is kept and given out, and how one attached by mistake is withdrawn."""

from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEntry
from app.directory.models import Person
from app.foundation.database import db
from app.foundation.errors import Forbidden
from app.foundation.viewer import Viewer, viewing_as
from app.payments import invoicing
from app.payments.history_models import Invoice, PaymentMade
from tests.payments.files import archive, jpeg, pdf, png
from tests.payments.paying import kept_files, keys_of_invoices, upload

pytestmark = pytest.mark.usefixtures("no_files")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "empty.pdf", "The file is empty."),
        (b"<!doctype html><script>alert(1)</script>", "page.pdf", "This one is none"),
        (pdf(), "picture.png", "but it is a PDF"),
        (png() + archive(), "picture.png", "more than one thing"),
        (jpeg() + b"more", "picture.jpg", "more follows behind its end"),
        (pdf(), "4111 1111 1111 1111.pdf", "payment card"),
    ],
)
def test_lying_file_is_refused(app, root, paid, content, name, said):
    before = kept_files(app)
    answer = root.post(f"/payments/made/{paid}/invoices", upload((content, name)))
    assert (answer.status_code, said in answer.text) == (422, True)
    assert kept_files(app) == before


def test_no_file_and_the_same_file_again_are_refused(app, root, paid):
    answer = root.post(f"/payments/made/{paid}/invoices", {})
    assert (answer.status_code, "Choose a file." in answer.text) == (422, True)
    answer = root.post(f"/payments/made/{paid}/invoices", upload((pdf(), "again.pdf")))
    assert (answer.status_code, "attached to the payment already" in answer.text) == (422, True)
    assert len(kept_files(app)) == 3


def test_file_over_the_limit_is_413(app, root, paid):
    large = pdf(b"x" * app.config["MAX_CONTENT_LENGTH"])
    assert root.post(f"/payments/made/{paid}/invoices", upload((large, "large.pdf"))).status_code == 413


def test_files_lie_outside_of_what_is_served_under_names_of_our_own(app, paid):
    files = kept_files(app)
    assert len(files) == 3
    for path in files:
        assert len(path.name) == 32
        assert path.stat().st_mode & 0o777 == 0o600
        assert not path.is_relative_to(app.static_folder)
    assert files[0].parent.stat().st_mode & 0o777 == 0o700


def test_download_is_an_attachment_that_nobody_guesses_about(app, root, paid):
    for name, kind in {
        "march.pdf": "application/pdf",
        "march.png": "image/png",
        "march.jpeg": "image/jpeg",
    }.items():
        answer = root.get(f"/payments/invoices/{keys_of_invoices(app)[name]}")
        assert answer.status_code == 200
        assert answer.content_type == kind
        assert answer.headers["Content-Disposition"] == f"attachment; filename={name}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert root.get(f"/payments/invoices/{keys_of_invoices(app)['march.png']}").data == png()


def test_only_pictures_have_a_preview(app, root, paid):
    keys = keys_of_invoices(app)
    answer = root.get(f"/payments/invoices/{keys['march.png']}/preview")
    assert (answer.status_code, answer.content_type) == (200, "image/png")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert root.get(f"/payments/invoices/{keys['march.pdf']}/preview").status_code == 404


def test_lost_file_is_said_and_breaks_nothing(app, root, paid):
    for path in kept_files(app):
        path.unlink()
    key = keys_of_invoices(app)["march.pdf"]
    answer = root.get(f"/payments/invoices/{key}")
    assert (answer.status_code, "backup" in answer.text) == (404, True)
    assert root.get(f"/payments/made/{paid}").status_code == 200


def test_invoice_attached_by_mistake_is_removed_and_the_payment_stays(app, root, gmail, paid):
    key = keys_of_invoices(app)["march.png"]
    for why in ("", "  "):
        answer = root.post(f"/payments/invoices/{key}/withdraw", {"why": why})
        assert (answer.status_code, "Say why it is removed." in answer.text) == (422, True)
    answer = root.post(f"/payments/invoices/{key}/withdraw", {"why": "Card 4111 1111 1111 1111"})
    assert (answer.status_code, "payment card" in answer.text) == (422, True)
    assert root.get(f"/payments/invoices/{key}").status_code == 200
    assert root.post(f"/payments/invoices/{key}/withdraw", {"why": "Of another payment"}).status_code == 302
    for path in (f"/payments/invoices/{key}", f"/payments/invoices/{key}/preview"):
        answer = root.get(path)
        assert (answer.status_code, "Of another payment" in answer.text) == (404, True)
    page = root.get(f"/payments/made/{paid}").text
    assert "<del>march.png</del> removed by Root" in page
    assert "Preview of march.png" not in page
    assert "march.pdf, march.jpeg" in root.get(f"/payments/products/{gmail}").text
    again = root.post(f"/payments/invoices/{key}/withdraw", {"why": "Again"})
    assert (again.status_code, "removed this invoice already" in again.text) == (422, True)
    # The same file may be attached again, where it belongs or after all here.
    answer = root.post(f"/payments/made/{paid}/invoices", upload((png(), "again.png")))
    assert answer.status_code == 302
    with app.app_context():
        made = db.session.scalars(select(PaymentMade)).one()
        assert (made.amount, len(made.invoices)) == (Decimal("12.00"), 4)
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "invoice.update")).one()
        assert entry.after["withdrawn_why"] == "Of another payment"
        assert entry.actor_name == "Root"


@pytest.mark.usefixtures("granted")
def test_nobody_else_removes_an_invoice(app, visit, paid):
    key = keys_of_invoices(app)["march.png"]
    for name in ("alice", "bob", "charlie"):
        visitor = visit(name)
        assert visitor.post(f"/payments/invoices/{key}/withdraw", {"why": "Mine"}).status_code == 403
    with app.app_context(), pytest.raises(Forbidden), viewing_as(reader(app)):
        invoicing.withdraw_invoice(db.session.get_one(Invoice, key), why="Mine")
    assert visit("alice").get(f"/payments/invoices/{key}").status_code == 200


def reader(app) -> Viewer:
    person = db.session.scalars(select(Person).where(Person.name == "Alice")).one()
    return Viewer(person.id, None, "Alice", "alice@example.com", frozenset({"ServiceAdministrator"}))


@pytest.mark.parametrize(
    "change",
    [
        "name = 'other.pdf'",
        "withdrawn_why = 'why'",
        "withdrawn_at = now(), withdrawn_by_name = 'x', withdrawn_why = 'y', name = 'other.pdf'",
    ],
)
def test_database_refuses_every_other_change_of_an_invoice(app, paid, change):
    with app.app_context(), pytest.raises(DBAPIError):
        db.session.execute(text(f"UPDATE invoices SET {change}"))


def test_withdrawn_invoice_comes_back_for_nobody(app, paid):
    with app.app_context():
        whole = "withdrawn_at = now(), withdrawn_by_name = 'x', withdrawn_why = 'y'"
        db.session.execute(text(f"UPDATE invoices SET {whole}"))
        with pytest.raises(DBAPIError):
            db.session.execute(
                text(
                    "UPDATE invoices SET withdrawn_at = NULL, withdrawn_by_name = NULL, withdrawn_why = NULL"
                )
            )


def test_generated_api_tells_of_invoices_but_not_where_they_lie(root, bob, paid):
    [first, *_] = root.api("GET", "invoices/").json["result"]
    assert (first["name"], first["payment_id"], first["mime_type"]) == ("march.pdf", paid, "application/pdf")
    assert "stored_name" not in first
    assert root.api("POST", "invoices/", {"name": "x.pdf"}).status_code == 405
    assert bob.api("GET", "invoices/").status_code == 403


def test_attached_invoice_stands_in_the_audit_log(app, paid):
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "invoice.create")).all()
        assert {one.target_label for one in entries} == {"march.pdf", "march.png", "march.jpeg"}
