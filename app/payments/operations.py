"""The verbs of the register. A record comes and goes with its product; only an Admin says what stands in it."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from app.foundation import clock, currencies
from app.foundation.database import assign, db
from app.foundation.errors import Conflict, DomainError, InvalidInput
from app.foundation.schemas import no_card_number
from app.foundation.scoping import unscoped
from app.inventory import operations as inventory
from app.inventory.models import Product
from app.payments import history_queries, queries, renewing, terms
from app.payments.access import must_be_admin
from app.payments.models import PaymentInfo, companys_currency

FIELDS = (
    "amount",
    "currency",
    "cardholder_name",
    "card_last4",
    "expiry_date",
    "payment_method",
    "renewal_frequency",
    "next_renewal_date",
    "auto_renew",
    "notice_days",
)
SPELLINGS: dict[str, Callable[[Any], Any]] = {
    "amount": terms.amount_of,
    "currency": terms.currency_named,
    "cardholder_name": terms.holder_named,
    "expiry_date": terms.day_of,
    "next_renewal_date": terms.day_of,
    "card_last4": terms.last_four_of,
    "payment_method": terms.method_named,
    "renewal_frequency": terms.frequency_named,
    "notice_days": terms.notice_of,
}


def open_record(product: Product) -> PaymentInfo:
    """The record of a new product; nothing is known yet but the company's currency."""
    payment = PaymentInfo(product=product)
    db.session.add(payment)
    db.session.flush()
    return payment


def close_record(product: Product) -> None:
    """The record goes before its product does, so that the log knows what stood in it.

    Conflict once something was paid: that history stays, and so does the product.
    """
    with unscoped():
        made = history_queries.number_of(product.id)
        if made:
            raise Conflict(
                f"{product.name} has {made} payment{'s' if made > 1 else ''} in its history. "
                "Set its status to retired instead."
            )
        payment = queries.payment_of(product.id)
        if payment is not None:
            db.session.delete(payment)
            db.session.flush()


def register_product(*, service_id: int, product_name: str, payment_info: Mapping[str, Any]) -> PaymentInfo:
    """A new product and its payment, both or neither."""
    must_be_admin()
    try:
        product = inventory.create_product(service_id=service_id, name=product_name)
    except InvalidInput as error:
        raise _renamed(error, {"name": "product_name"}) from None
    payment = queries.payment_of(product.id) or open_record(product)
    try:
        return change_payment(payment, **payment_info)
    except InvalidInput as error:
        raise _renamed(error, {name: f"payment_info.{name}" for name in FIELDS}) from None


def change_payment(payment: PaymentInfo, **fields: Any) -> PaymentInfo:
    """Write down what is known; None empties a field. InvalidInput names every field that does not fit."""
    must_be_admin()
    put_down(payment, fields)
    db.session.flush()
    return payment


def put_down(payment: PaymentInfo, fields: Mapping[str, Any]) -> None:
    """The same without the flush, for whoever changes many and flushes them together."""
    clean = cleaned(fields)
    must_agree(payment, clean)
    coming = payment.next_renewal_date
    anchor = renewing.anchor_of(coming, payment.renewal_day) if coming else None
    assign(payment, clean, FIELDS)
    payment.renewal_day = renewing.day_to_keep(payment.next_renewal_date, anchor)


def renew_on(payment: PaymentInfo, today: date) -> None:
    """It has renewed by itself: what comes next is its first renewal from today on."""
    plan = renewing.plan_of(payment)
    coming = plan and renewing.next_from(plan, today)
    if coming and coming != payment.next_renewal_date:
        change_payment(payment, next_renewal_date=coming)


def pay_renewal(payment: PaymentInfo, renewal: date) -> PaymentInfo:
    """A renewal was paid: the register moves on to the one after it.

    Conflict if it has moved meanwhile, so that two people who record the same payment move it once.
    """
    db.session.refresh(payment, with_for_update=True)
    if payment.next_renewal_date != renewal:
        raise Conflict("The next renewal is another one by now. Load the page again and look at it.")
    after = renewing.after_paying(payment)
    if after is None:
        raise InvalidInput(
            pays_renewal="The register does not say how often this renews, so there is no next renewal to move to."
        )
    try:
        return change_payment(payment, next_renewal_date=after)
    except InvalidInput as error:
        raise _renamed(error, {"next_renewal_date": "pays_renewal"}) from None


def cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a payment as they are kept, whichever door they came through; asks no database.

    InvalidInput with a message for each that can't be kept.
    """
    return terms.all_spelled(FIELDS, fields, _spelled)


def _spelled(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip() or None
    if value is None:
        return {"currency": companys_currency(), "auto_renew": True}.get(name)
    if isinstance(value, str):
        no_card_number(value)
    return SPELLINGS[name](value) if name in SPELLINGS else value


def must_agree(payment: Any, clean: dict[str, Any]) -> None:
    """What can be said only of the whole: the digits of the amount, and a renewal that is over."""

    def after(name: str) -> Any:
        return clean.get(name, getattr(payment, name))

    def changes(*names: str) -> bool:
        return any(name in clean and clean[name] != getattr(payment, name) for name in names)

    amount, decimals = after("amount"), currencies.decimals_of(after("currency"))
    if amount is not None and changes("amount", "currency") and amount != round(amount, decimals):
        field = "amount" if "amount" in clean else "currency"
        raise InvalidInput(**{field: f"{after('currency')} has {decimals or 'no'} digits after the point."})
    renewal = after("next_renewal_date")
    over = renewal is not None and renewal < clock.today() and not after("auto_renew")
    if over and changes("next_renewal_date", "auto_renew"):
        raise InvalidInput(next_renewal_date="This day is over, and the product does not renew by itself.")


def _renamed(error: DomainError, names: Mapping[str, str]) -> InvalidInput:
    """The same refusal, at the fields as this door calls them."""
    fields = {names.get(field, field): message for field, message in error.fields.items()}
    return InvalidInput(error.message, **fields)
