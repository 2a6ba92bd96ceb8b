"""The payment pages of a product: recording and correcting; who may see and who may write."""

import pytest
from sqlalchemy import select

from app.foundation.database import db
from app.payments import recording
from app.payments.history_models import PaymentMade
from tests.payments.files import pdf, png
from tests.payments.paying import FORM, kept_files, keys_of_invoices, upload

pytestmark = pytest.mark.usefixtures("no_files")


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


def test_strange_keys_are_not_found(root, paid):
    for key in ("0", "abc", "99999999999999999999", "-1"):
        for path in (f"products/{key}", f"made/{key}", f"invoices/{key}", f"invoices/{key}/preview"):
            assert root.get(f"/payments/{path}").status_code == 404


def test_page_beyond_the_last_says_so(root, gmail, paid):
    assert "There is no such page" in root.get(f"/payments/products/{gmail}?page=7").text
    for page in ("0", "x", "-1", "9" * 30):
        assert root.get(f"/payments/products/{gmail}?page={page}").status_code == 200
