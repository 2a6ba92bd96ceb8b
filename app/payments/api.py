"""The generated API of the payment register."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.payments import operations as payments
from app.payments.models import PaymentInfo
from app.payments.schemas import PaymentInfoSchema

PAYMENT_VERBS = Verbs(change=payments.change_payment)


class PaymentInfoApi(PortalModelApi):
    """Payments. Each comes and goes with its product."""

    datamodel = PortalInterface(PaymentInfo)
    resource_name, noun, verbs, schema = "payment-infos", "PaymentInfo", PAYMENT_VERBS, PaymentInfoSchema()
    list_columns = [
        "id",
        "product_id",
        "product.name",
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
        "created_at",
        "updated_at",
    ]
    search_columns = [
        "id",
        "product_id",
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
    ]
    order_columns = [
        "id",
        "amount",
        "currency",
        "expiry_date",
        "payment_method",
        "renewal_frequency",
        "next_renewal_date",
        "created_at",
        "updated_at",
    ]
    base_order = ("id", "asc")
