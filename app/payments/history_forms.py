"""The forms on the payment pages of a product. Fields are named as the arguments of the verbs."""

from typing import Any

from flask_wtf.file import MultipleFileField
from wtforms import DateField, SelectChoice, SelectField
from wtforms.validators import InputRequired, Optional

from app.foundation.currencies import currencies, name_of
from app.foundation.forms import REQUIRED, PortalForm, line, paragraph
from app.payments import recording, terms
from app.payments.file_kinds import ENDINGS

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
    """A payment with its invoices."""

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
