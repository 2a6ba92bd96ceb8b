"""The forms on the payment pages of a product, and how they are carried out. Fields are named as the verbs' arguments."""

from typing import Any

from flask_wtf.file import MultipleFileField
from sqlalchemy.exc import IntegrityError
from wtforms import BooleanField, DateField, HiddenField, SelectChoice, SelectField
from wtforms.validators import InputRequired, Optional

from app.foundation.currencies import currencies, name_of
from app.foundation.database import db
from app.foundation.errors import DomainError, from_database
from app.foundation.forms import REQUIRED, PortalForm, line, paragraph
from app.foundation.transactions import transaction
from app.foundation.views import show_refusal
from app.payments import invoicing, recording, terms
from app.payments.file_kinds import ENDINGS
from app.payments.history_models import PaymentMade

ACCEPTED = ",".join(ending for endings in ENDINGS.values() for ending in endings)


def _currency_choices() -> list[SelectChoice]:
    return [SelectChoice(code, f"{code}, {name_of(code)}") for code in sorted(currencies())]


def _invoices(label: str, *rules: Any) -> MultipleFileField:
    hint = "PDF, PNG or JPEG. Several at once if need be."
    return MultipleFileField(label, rules, description=hint, render_kw={"accept": ACCEPTED})


class PaymentMadeForm(PortalForm):
    """What was paid."""

    paid_on = DateField("Paid on", [InputRequired(REQUIRED)])
    amount = line("Amount", required=True, most=30, hint="Such as 1250.00.")
    currency = SelectField("Currency", choices=_currency_choices)
    period_start = DateField("Period from", [Optional()])
    period_end = DateField("Period to", [Optional()], description="Its last day.")
    method = line("Method", most=terms.LONGEST_METHOD, hint=f"Such as {', '.join(terms.METHODS[:3])}.")
    note = paragraph("Note", most=recording.LONGEST_NOTE)


class RecordForm(PaymentMadeForm):
    """A payment with its invoices. `renewal` is the coming renewal, as the page that was sent showed it."""

    pays_renewal = BooleanField("This pays the coming renewal")
    renewal = HiddenField()
    invoices = _invoices("Invoices", Optional())


class CorrectionForm(PaymentMadeForm):
    """What was really paid."""

    note = paragraph(
        "Why it is corrected", most=recording.LONGEST_NOTE, hint="Stands beside the correction for good."
    )


class VoidForm(PortalForm):
    """Nothing was paid."""

    # Its page has another note.
    note = paragraph(
        "Why", id="void-note", most=recording.LONGEST_NOTE, hint="Such as: entered twice, or paid back."
    )


class InvoiceForm(PortalForm):
    """Files that belong to a payment."""

    invoices = _invoices("Invoices", InputRequired("Choose a file."))


class WithdrawForm(PortalForm):
    """A file that does not belong there."""

    why = line(
        "Why", id="withdraw-why", most=invoicing.LONGEST_WHY, hint="Such as: belongs to another payment."
    )


def done(form: Any, verb: Any) -> bool:
    """Whether it was done; if not, the form says why, and nothing was."""
    if form.validate():
        try:
            with transaction():
                verb()
        except DomainError as error:
            show_refusal(form, error)
        except IntegrityError as error:
            show_refusal(form, from_database(error))
        else:
            return True
    db.session.rollback()
    return False


def fields_of(form: PaymentMadeForm) -> dict[str, Any]:
    """What the form says of a payment made."""
    return {name: form[name].data for name in recording.FIELDS}


def attach_all(made: PaymentMade, form: Any) -> None:
    """The files of a form; one without a name is a field that was left empty."""
    for file in form.invoices.data or []:
        if file.filename:
            invoicing.attach_invoice(made, name=file.filename, content=file.read())
