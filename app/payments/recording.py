"""The verbs of payments made. What was recorded stays; a correction is another entry, which counts instead."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from app.foundation import clock, currencies, events
from app.foundation.actor import current_actor
from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput
from app.foundation.forms import REQUIRED
from app.foundation.references import visible
from app.foundation.schemas import fit, no_card_number
from app.inventory.models import Product
from app.payments import history_queries, queries, terms
from app.payments import operations as payments
from app.payments.access import must_be_admin
from app.payments.events import PaymentRecorded
from app.payments.history_models import PaymentMade
from app.payments.models import companys_currency

LONGEST_NOTE = 2_000
ALREADY = "Somebody has corrected this payment already. Correct the correction instead."


def note_of(text: str) -> str:
    """What there is to say about a payment."""
    if len(text) > LONGEST_NOTE:
        raise ValueError(f"At most {LONGEST_NOTE:,} characters.")
    return text


FIELDS: dict[str, Callable[[Any], Any]] = {
    "amount": terms.amount_of,
    "currency": terms.currency_named,
    "period_start": terms.day_of,
    "period_end": terms.day_of,
    "paid_on": terms.day_of,
    "method": terms.method_named,
    "note": note_of,
}
NEEDED = ("amount", "currency", "paid_on")


def record_payment(
    *,
    product_id: int | None = None,
    corrects_id: int | None = None,
    voids: bool = False,
    pays_renewal: date | str | None = None,
    **fields: Any,
) -> PaymentMade:
    """Write down that something was paid; or, with `corrects_id`, what was really paid.

    Currency and method are the register's, where nobody says otherwise. `pays_renewal` is the coming renewal if this
    pays it: the register then moves on to the next one. InvalidInput names every field that does not fit.
    """
    must_be_admin()
    if corrects_id is not None:
        if pays_renewal:
            raise InvalidInput(pays_renewal="A correction moves no renewal. Change it in the register.")
        return _correct_by_key(corrects_id, product_id, voids=voids, **fields)
    if voids:
        raise InvalidInput(voids="Choose the payment that never happened.")
    product = visible(Product, product_id, "product_id")
    payment = queries.payment_of(product.id)
    known = {"currency": payment.currency, "method": payment.payment_method} if payment else {}
    said = {name: value for name, value in cleaned(fields).items() if value is not None}
    whole = {"currency": companys_currency(), **known, **said}
    _must_fit(whole)
    made = _entered(product=product, **whole)
    if pays_renewal:
        if payment is None:
            raise InvalidInput(pays_renewal="There is no renewal of it in the register.")
        payments.pay_renewal(payment, _renewal_day(pays_renewal))
    return made


def correct_payment(payment: PaymentMade, *, voids: bool = False, **fields: Any) -> PaymentMade:
    """Record what was really paid, or with `voids` that nothing was, and why (`note`); what is not said is as it was.

    Conflict if the payment has a correction already.
    """
    must_be_admin()
    if history_queries.correction_of(payment.id) is not None:
        raise Conflict(ALREADY)
    was = {name: getattr(payment, name) for name in FIELDS if name != "note"}
    said = cleaned(fields)
    whole = {**was, "note": said.get("note")} if voids else was | said
    if not whole.get("note"):
        raise InvalidInput(note="Say why it is corrected.")
    if voids == payment.voids and all(whole[name] == value for name, value in was.items()):
        raise InvalidInput("Nothing is different. Change what was wrong, or say that it was never paid.")
    _must_fit(whole)
    return _entered(product=payment.product, corrects_id=payment.id, voids=voids, **whole)


def _correct_by_key(key: int, product_id: int | None, **fields: Any) -> PaymentMade:
    payment = visible(PaymentMade, key, "corrects_id")
    if product_id not in (None, payment.product_id):
        raise InvalidInput(
            product_id="A correction is of the same product. Void the payment, and record it with the other one."
        )
    return correct_payment(payment, **fields)


def cleaned(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a payment made as they are kept. InvalidInput with a message for each that can't be."""
    return terms.all_spelled(FIELDS, fields, _spelled)


def _spelled(name: str, value: Any) -> Any:
    if isinstance(value, str):
        value = value.strip() or None
    if isinstance(value, str):
        fit(value)
        no_card_number(value)
    return None if value is None else FIELDS[name](value)


def _renewal_day(value: Any) -> date:
    try:
        return terms.day_of(value)
    except ValueError as error:
        raise InvalidInput(pays_renewal=str(error)) from None


def _must_fit(whole: Mapping[str, Any]) -> None:
    """What can be said only of the whole."""
    faults = {name: REQUIRED for name in NEEDED if whole.get(name) is None}
    amount, currency, paid_on = (whole.get(name) for name in NEEDED)
    if (
        amount is not None
        and currency
        and amount != round(amount, decimals := currencies.decimals_of(currency))
    ):
        faults["amount"] = f"{currency} has {decimals or 'no'} digits after the point."
    if paid_on and paid_on > clock.today():
        faults["paid_on"] = "This day is still to come. Record a payment once it is made."
    start, end = whole.get("period_start"), whole.get("period_end")
    if (start is None) != (end is None):
        faults["period_end" if end is None else "period_start"] = "Enter both days of the period, or neither."
    elif start and end and end < start:
        faults["period_end"] = "The period ends before it starts."
    if faults:
        raise InvalidInput("Some fields are not valid.", **faults)


def _entered(**columns: Any) -> PaymentMade:
    actor = current_actor()
    payment = PaymentMade(recorded_by_id=actor.id, recorded_by_name=actor.name, **columns)
    db.session.add(payment)
    db.session.flush()
    events.publish(PaymentRecorded(payment))
    return payment
