"""The generated API of payments made and of their invoices. Nothing there is changed or deleted, by nobody."""

from marshmallow import fields

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.foundation.schemas import Key, PortalSchema, Text
from app.payments import recording, terms
from app.payments.history_models import Invoice, PaymentMade
from app.payments.schemas import Amount, Term

PAYMENT_MADE_VERBS = Verbs(create=recording.record_payment)


class PaymentMadeSchema(PortalSchema):
    """A payment that was made, or with `corrects_id` what was really paid: then only what is different and why."""

    product_id = Key(allow_none=True)
    amount = Amount()
    currency = Term(terms.currency_named, 3, "USD")
    period_start = fields.Date(allow_none=True)
    period_end = fields.Date(allow_none=True)
    paid_on = fields.Date(allow_none=True)
    method = Term(terms.method_named, terms.LONGEST_METHOD, "Credit card")
    note = Text(recording.LONGEST_NOTE, allow_none=True)
    pays_renewal = fields.Date(allow_none=True)
    corrects_id = Key(allow_none=True)
    voids = fields.Boolean()


class PaymentMadeApi(PortalModelApi):
    """Payments made. Those that another one corrects are here too: what counts is what nothing corrects or voids."""

    datamodel = PortalInterface(PaymentMade)
    resource_name, noun, verbs, schema = (
        "payments-made",
        "PaymentMade",
        PAYMENT_MADE_VERBS,
        PaymentMadeSchema(),
    )
    list_columns = [
        "id",
        "product_id",
        "product.name",
        "amount",
        "currency",
        "period_start",
        "period_end",
        "paid_on",
        "method",
        "note",
        "corrects_id",
        "voids",
        "recorded_by_id",
        "recorded_by_name",
        "recorded_at",
    ]
    search_columns = [
        "id",
        "product_id",
        "amount",
        "currency",
        "period_start",
        "period_end",
        "paid_on",
        "method",
        "corrects_id",
        "voids",
        "recorded_at",
    ]
    order_columns = ["id", "amount", "currency", "paid_on", "method", "recorded_at"]
    base_order = ("id", "asc")


class InvoiceApi(PortalModelApi):
    """What is known of the invoices. A file is attached, and its content had, on the page of its payment."""

    datamodel = PortalInterface(Invoice)
    resource_name, noun = "invoices", "Invoice"
    list_columns = [
        "id",
        "payment_id",
        "payment.product_id",
        "name",
        "mime_type",
        "size",
        "uploaded_by_id",
        "uploaded_by_name",
        "uploaded_at",
        "withdrawn_at",
        "withdrawn_by_name",
        "withdrawn_why",
    ]
    search_columns = ["id", "payment_id", "name", "mime_type", "size", "uploaded_at"]
    order_columns = ["id", "name", "size", "uploaded_at"]
    base_order = ("id", "asc")
