"""A payment can move the renewal that it pays, once, and only if everybody means the same one."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.payments import operations as payments
from app.payments import queries
from app.payments.history_models import PaymentMade
from tests.payments.paying import FORM


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
