"""The payment pages of a product: recording, correcting, invoices; who may see and who may write."""

import io
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.audit.models import AuditEntry
from app.directory.models import Person, Role
from app.foundation.database import db
from app.foundation.errors import Forbidden
from app.foundation.storage import store
from app.foundation.viewer import Viewer, viewing_as
from app.payments import invoicing, queries, recording
from app.payments import operations as payments
from app.payments.history_models import Invoice, PaymentMade
from tests.payments.files import archive, jpeg, pdf, png

FORM = {
    "paid_on": "2026-03-01",
    "amount": "12.00",
    "currency": "USD",
    "period_start": "2026-03-01",
    "period_end": "2026-03-31",
    "method": "Invoice",
    "note": "First month",
}


def upload(*files: tuple[bytes, str], **fields) -> dict:
    return {**fields, "invoices": [(io.BytesIO(content), name) for content, name in files]}


def kept_files(app) -> list[Path]:
    with app.app_context():
        return sorted(store().path / name for name in store().names())


@pytest.fixture(autouse=True)
def no_files(app):
    for path in kept_files(app):
        path.unlink()


@pytest.fixture
def gmail(world) -> int:
    return world.products["Gmail"]


@pytest.fixture
def granted(app) -> None:
    """An Admin lets ServiceAdministrators read payments."""
    with app.app_context():
        security = app.appbuilder.sm
        role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
        security.add_permission_role(role, security.find_permission_view_menu("can_read", "PaymentInfo"))
        db.session.commit()


@pytest.fixture
def paid(app, root, gmail) -> int:
    """The key of a payment with an invoice of each kind."""
    files = ((pdf(), "march.pdf"), (png(), "march.png"), (jpeg(), "march.jpeg"))
    assert root.post(f"/payments/products/{gmail}/record", upload(*files, **FORM)).status_code == 302
    with app.app_context():
        return db.session.scalars(select(PaymentMade)).one().id


def keys_of_invoices(app) -> dict[str, int]:
    with app.app_context():
        return {one.name: one.id for one in db.session.scalars(select(Invoice))}


def test_page_shows_what_was_recorded(root, gmail, paid):
    page = root.get(f"/payments/products/{gmail}").text
    for shown in (
        "USD 12.00",
        "1 Mar 2026",
        "1 Mar \N{EN DASH} 31 Mar 2026",
        "Root",
        "march.pdf, march.png, march.jpeg",
    ):
        assert shown in page
    page = root.get(f"/payments/made/{paid}").text
    for shown in ("First month", "march.pdf", "march.png", "attached by Root"):
        assert shown in page


def test_page_of_a_product_without_payments_says_what_to_do(root, alice, gmail, granted):
    assert "Record each payment once it is made" in root.get(f"/payments/products/{gmail}").text
    assert "An Admin records what is paid." in alice.get(f"/payments/products/{gmail}").text


def test_list_costs_the_same_at_any_length(app, root, gmail, statements, paid):
    def ask() -> int:
        with statements() as seen:
            assert root.get(f"/payments/products/{gmail}").status_code == 200
        return len(seen)

    few = ask()
    with app.app_context():
        for day in range(1, 25):
            made = recording.record_payment(product_id=gmail, amount=str(day), paid_on=f"2026-02-{day:02}")
            recording.correct_payment(made, amount=str(day * 2), note="Wrong")
        db.session.commit()
    # The corrected entries of the page come in one go, and their invoices.
    assert ask() <= few + 2 <= 16


def test_correction_shows_the_old_entry_struck_through(root, gmail, paid):
    form = {**FORM, "amount": "21.00", "note": "Digits swapped"}
    assert root.post(f"/payments/made/{paid}/correct", form).status_code == 302
    page = root.get(f"/payments/products/{gmail}").text
    assert "<del>USD 12.00</del>" in page
    assert "USD 21.00" in page
    assert "march.pdf" in page
    again = root.post(f"/payments/made/{paid}/correct", {**form, "amount": "31.00"})
    assert (again.status_code, "corrected this payment already" in again.text) == (422, True)
    assert "31.00" in again.text


def test_void_payment_is_in_no_sum(root, gmail, paid):
    assert root.post(f"/payments/made/{paid}/void", {"note": ""}).status_code == 422
    assert root.post(f"/payments/made/{paid}/void", {"note": "Entered twice"}).status_code == 302
    page = root.get(f"/payments/products/{gmail}").text
    assert "Never paid" in page
    assert "Nothing yet" in page


def test_refused_form_keeps_what_was_typed_and_nothing_is_half_done(app, root, gmail):
    form = {**FORM, "period_end": "2026-02-01", "note": "Keep me"}
    answer = root.post(f"/payments/products/{gmail}/record", upload((pdf(), "march.pdf"), **form))
    assert answer.status_code == 422
    assert "The period ends before it starts." in answer.text
    assert "Keep me" in answer.text
    files = ((pdf(), "march.pdf"), (b"<svg onload=alert(1)>", "picture.svg"))
    answer = root.post(f"/payments/products/{gmail}/record", upload(*files, **FORM))
    assert (answer.status_code, "Choose a PDF, a PNG or a JPEG file" in answer.text) == (422, True)
    with app.app_context():
        assert db.session.scalars(select(PaymentMade)).all() == []
    assert kept_files(app) == []


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


@pytest.mark.usefixtures("granted")
def test_service_administrator_reads_theirs_and_writes_nothing(app, root, alice, world, gmail, paid):
    other = world.products["Copilot"]
    assert (
        root.post(f"/payments/products/{other}/record", upload((pdf(), "b.pdf"), **FORM)).status_code == 302
    )
    keys = keys_of_invoices(app)
    with app.app_context():
        hidden = db.session.scalars(select(PaymentMade.id).where(PaymentMade.product_id == other)).one()
    page = alice.get(f"/payments/products/{gmail}")
    assert (page.status_code, "USD 12.00" in page.text) == (200, True)
    assert 'id="record"' not in page.text
    page = alice.get(f"/payments/made/{paid}")
    assert (page.status_code, "<form" in page.text.partition("<main")[2].partition("</main")[0]) == (
        200,
        False,
    )
    assert alice.get(f"/payments/invoices/{keys['march.pdf']}").status_code == 200
    for path in (
        f"/payments/products/{other}",
        f"/payments/made/{hidden}",
        f"/payments/invoices/{keys['b.pdf']}",
        f"/payments/invoices/{keys['b.pdf']}/preview",
    ):
        assert alice.get(path).status_code == 404
    for path in (f"products/{gmail}/record", f"made/{paid}/correct", f"made/{paid}/void"):
        assert alice.post(f"/payments/{path}", FORM).status_code == 403
    assert alice.post(f"/payments/made/{paid}/invoices", upload((png(), "a.png"))).status_code == 403


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_others_see_none_of_it(app, visit, gmail, paid, name):
    visitor, key = visit(name), keys_of_invoices(app)["march.png"]
    for path in (f"products/{gmail}", f"made/{paid}", f"invoices/{key}", f"invoices/{key}/preview"):
        assert visitor.get(f"/payments/{path}").status_code == 403


def renewal_of(app, product: int):
    with app.app_context():
        return queries.payment_of(product).next_renewal_date


@pytest.fixture
def renews(app, gmail):
    """Gmail renews monthly, next at the end of a January, and costs what the form says."""
    with app.app_context():
        payments.change_payment(
            queries.payment_of(gmail),
            amount="12.00",
            renewal_frequency="monthly",
            next_renewal_date="2031-01-31",
        )
        db.session.commit()


@pytest.mark.usefixtures("renews")
def test_payment_that_pays_the_coming_renewal_moves_it_on(app, root, gmail):
    page = root.get(f"/payments/products/{gmail}").text
    assert "moves from 31 Jan 2031 to 28 Feb 2031" in page
    # No payment is known yet, so the form is about the period that the renewal begins.
    assert 'value="2031-01-31"' in page
    assert 'value="2031-02-27"' in page
    assert re.search('<input[^>]*checked[^>]*name="pays_renewal"', page)
    form = {**FORM, "renewal": "2031-01-31"}
    assert root.post(f"/payments/products/{gmail}/record", form).status_code == 302
    assert renewal_of(app, gmail) == date(2031, 1, 31)
    form["pays_renewal"] = "y"
    assert root.post(f"/payments/products/{gmail}/record", form).status_code == 302
    assert renewal_of(app, gmail) == date(2031, 2, 28)
    page = root.get(f"/payments/products/{gmail}").text
    assert "The next renewal is on 28 Feb 2031." in page
    # The month was too short for the day, which comes back.
    assert "moves from 28 Feb 2031 to 31 Mar 2031" in page
    with app.app_context():
        entry = db.session.scalars(
            select(AuditEntry)
            .where(AuditEntry.action == "payment_info.update")
            .order_by(AuditEntry.id.desc())
        ).first()
        assert (entry.actor_name, entry.after["next_renewal_date"]) == ("Root", "2031-02-28")


@pytest.mark.usefixtures("renews")
def test_renewal_that_moved_meanwhile_moves_once_and_nothing_is_recorded(app, root, gmail):
    form = {**FORM, "renewal": "2031-01-31", "pays_renewal": "y"}
    assert root.post(f"/payments/products/{gmail}/record", form).status_code == 302
    again = root.post(f"/payments/products/{gmail}/record", form)
    assert (again.status_code, "another one by now" in again.text) == (422, True)
    assert renewal_of(app, gmail) == date(2031, 2, 28)
    with app.app_context():
        assert len(db.session.scalars(select(PaymentMade)).all()) == 1


def test_renewal_that_nobody_knows_is_not_offered_and_not_moved(app, root, gmail):
    assert "pays_renewal" not in root.get(f"/payments/products/{gmail}").text
    for sent in ("2031-01-31", "31/01/2031"):
        body = {"product_id": gmail, "amount": "1.00", "paid_on": "2026-03-01", "pays_renewal": sent}
        assert root.api("POST", "payments-made/", body).status_code in {409, 422}
    with app.app_context():
        payments.change_payment(
            queries.payment_of(gmail), renewal_frequency="one_off", next_renewal_date="2031-01-31"
        )
        db.session.commit()
    body = {"product_id": gmail, "amount": "1.00", "paid_on": "2026-03-01", "pays_renewal": "2031-01-31"}
    answer = root.api("POST", "payments-made/", body)
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "pays_renewal")
    with app.app_context():
        assert db.session.scalars(select(PaymentMade)).all() == []


@pytest.mark.usefixtures("renews")
def test_script_says_which_renewal_a_payment_pays(app, root, gmail):
    body = {"product_id": gmail, "amount": "12.00", "paid_on": "2026-03-01", "paysRenewal": "2031-01-31"}
    made = root.api("POST", "payments-made/", body)
    assert made.status_code == 201
    assert renewal_of(app, gmail) == date(2031, 2, 28)
    correction = {"corrects_id": made.json["id"], "amount": "1.00", "note": "x", "pays_renewal": "2031-02-28"}
    assert root.api("POST", "payments-made/", correction).status_code == 422


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


def test_generated_api_records_corrects_and_reads(app, root, alice, gmail):
    body = {"productId": gmail, "amount": "12.00", "paidOn": "2026-03-01", "currency": "USD"}
    made = root.api("POST", "payments-made/", body)
    assert (made.status_code, made.json["result"]["amount"]) == (201, "12.000")
    wrong = root.api("POST", "payments-made/", {**body, "paidOn": "31/12/2031"})
    assert (wrong.status_code, wrong.json["detail"][0]["field"]) == (422, "paid_on")
    fixed = {"corrects_id": made.json["id"], "amount": "21.00", "note": "Digits swapped"}
    assert root.api("POST", "payments-made/", fixed).status_code == 201
    assert root.api("POST", "payments-made/", fixed).status_code == 409
    assert root.api("GET", "payments-made/").json["count"] == 2
    for method in ("PUT", "DELETE"):
        assert root.api(method, f"payments-made/{made.json['id']}", {"amount": "1.00"}).status_code == 405
    assert alice.api("GET", "payments-made/").status_code == 403
    assert alice.api("POST", "payments-made/", body).status_code == 403


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


def test_strange_keys_are_not_found(root, paid):
    for key in ("0", "abc", "99999999999999999999", "-1"):
        for path in (f"products/{key}", f"made/{key}", f"invoices/{key}", f"invoices/{key}/preview"):
            assert root.get(f"/payments/{path}").status_code == 404


def test_page_beyond_the_last_says_so(root, gmail, paid):
    assert "There is no such page" in root.get(f"/payments/products/{gmail}?page=7").text
    for page in ("0", "x", "-1", "9" * 30):
        assert root.get(f"/payments/products/{gmail}?page={page}").status_code == 200
