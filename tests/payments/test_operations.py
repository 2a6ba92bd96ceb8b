"""A payment comes and goes with its product, and says what is wrong with what is written into it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.viewer import viewing_as
from app.inventory import operations as inventory
from app.inventory.models import Product
from app.payments import operations as payments
from app.payments import queries
from app.payments.models import PaymentInfo

CARD = "4111 1111 1111 1111"


@pytest.fixture
def payment(context, world) -> PaymentInfo:
    return queries.payment_of(world.products["Copilot"])


def test_every_product_has_its_payment(context):
    keys = set(db.session.scalars(select(Product.id)))
    assert set(db.session.scalars(select(PaymentInfo.product_id))) == keys


def test_payment_of_a_new_product_is_incomplete_and_in_the_company_s_currency(context, world, viewer_of):
    context.config["CURRENCY"] = "CHF"
    try:
        with viewing_as(viewer_of("alice")):
            product = inventory.create_product(service_id=world.services["Google Workspace"], name="Meet")
    finally:
        context.config["CURRENCY"] = "USD"
    made = queries.payment_of(product.id)
    assert (made.status, made.state, made.currency, made.amount) == ("incomplete", "incomplete", "CHF", None)


def test_payment_goes_with_its_product_and_the_log_knows_what_stood_there(context, world, viewer_of):
    payment = queries.payment_of(world.products["Drive"])
    payments.change_payment(payment, amount="6.00", cardholder_name="Jane Doe")
    with viewing_as(viewer_of("alice")):
        inventory.delete_product(payment.product)
    db.session.commit()
    assert db.session.scalar(select(func.count(PaymentInfo.id))) == 4
    changed, gone = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.target_type == "payment_info")
        .order_by(AuditEntry.id.desc())
        .limit(2)
    ).all()[::-1]
    assert (changed.action, changed.after["amount"]) == ("payment_info.update", "6.00")
    assert (gone.action, gone.before["cardholder_name"]) == ("payment_info.delete", "Jane Doe")


def test_everything_wrong_is_told_at_once(payment):
    with pytest.raises(InvalidInput) as refused:
        payments.change_payment(
            payment,
            amount="-1",
            currency="EURO",
            card_last4="12345",
            renewal_frequency="weekly",
            payment_method=f"Card {CARD}",
            cardholder_name=CARD.replace(" ", "-"),
            expiry_date="31/12/2031",
            notice_days=-1,
        )
    assert set(refused.value.fields) == set(payments.FIELDS) - {"next_renewal_date", "auto_renew"}
    assert "payment card" in refused.value.fields["payment_method"]
    assert payment.amount is None


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [("6.5", "USD", True), ("6.500", "USD", True), ("6.505", "USD", False), ("600", "JPY", True),
     ("600.5", "JPY", False), ("1.234", "KWD", True), ("1.2345", "KWD", False)],
)  # fmt: skip
def test_amount_has_no_more_digits_than_its_currency(payment, amount, currency, fits):
    if fits:
        payments.change_payment(payment, amount=amount, currency=currency)
        assert payment.currency == currency
    else:
        with pytest.raises(InvalidInput, match="after the point"):
            payments.change_payment(payment, amount=amount, currency=currency)


def test_currency_that_does_not_fit_the_amount_is_refused_at_the_currency(payment):
    payments.change_payment(payment, amount="6.50")
    with pytest.raises(InvalidInput) as refused:
        payments.change_payment(payment, currency="JPY")
    assert set(refused.value.fields) == {"currency"}


def test_emptied_field_is_empty_and_the_currency_the_company_s(payment):
    payments.change_payment(payment, amount="6.00", currency="EUR", cardholder_name="Jane", auto_renew=False)
    payments.change_payment(payment, amount="", currency=None, cardholder_name="  ", auto_renew=None)
    assert (payment.amount, payment.currency, payment.cardholder_name) == (None, "USD", None)
    assert payment.auto_renew is True


def test_renewal_that_is_over_needs_to_renew_by_itself(payment):
    yesterday = clock.today() - timedelta(days=1)
    payments.change_payment(payment, next_renewal_date=yesterday)
    with pytest.raises(InvalidInput) as refused:
        payments.change_payment(payment, auto_renew=False)
    assert set(refused.value.fields) == {"next_renewal_date"}
    payments.change_payment(payment, auto_renew=False, next_renewal_date=clock.today())
    payments.change_payment(payment, amount="1.00")


def test_new_product_and_its_payment_come_together_or_not_at_all(context, world):
    service = world.services["Slack"]
    made = payments.register_product(
        service_id=service, product_name="Canvas", payment_info={"amount": "6.00", "currency": "EUR"}
    )
    assert (made.product.name, str(made.amount), made.currency) == ("Canvas", "6.00", "EUR")
    with pytest.raises(InvalidInput) as refused:
        payments.register_product(service_id=service, product_name="Lists", payment_info={"amount": "6.001"})
    assert set(refused.value.fields) == {"payment_info.amount"}
    db.session.rollback()
    assert db.session.scalar(select(Product.id).where(Product.name == "Lists")) is None
