"""The payment register as a page."""

from sqlalchemy.orm import joinedload
from wtforms import BooleanField, DateField, SelectChoice, SelectField
from wtforms.validators import Optional

from app.foundation.currencies import currencies, name_of
from app.foundation.fab import PortalInterface
from app.foundation.forms import PortalForm, line
from app.foundation.views import PortalModelView
from app.inventory.models import Product
from app.payments import terms
from app.payments.api import PAYMENT_VERBS
from app.payments.models import PaymentInfo


def _currency_choices() -> list[SelectChoice]:
    return [SelectChoice(code, f"{code}, {name_of(code)}") for code in sorted(currencies())]


class PaymentForm(PortalForm):
    """What is known of a payment."""

    amount = line("Amount", most=30, hint="Per renewal, such as 1250.00.")
    currency = SelectField("Currency", choices=_currency_choices)
    cardholder_name = line("Holder", most=terms.LONGEST_NAME, hint="Whose card or account pays.")
    card_last4 = line("Card ends in", most=30, hint="The last four digits. Never the whole number.")
    expiry_date = DateField("Expires", validators=[Optional()], description="Until when the card is good.")
    payment_method = line("Method", most=terms.LONGEST_METHOD, hint=f"Such as {', '.join(terms.METHODS)}.")
    renewal_frequency = line("Renews", most=50, hint=terms.KNOWN_FREQUENCIES)
    next_renewal_date = DateField("Next renewal", validators=[Optional()])
    auto_renew = BooleanField("It renews by itself")
    notice_days = line("Notice", most=9, hint="How many days before the renewal it must be cancelled.")


class PaymentView(PortalModelView):
    """Every product with what pays for it."""

    datamodel = PortalInterface(PaymentInfo, joinedload(PaymentInfo.product).joinedload(Product.service))
    route_base, noun, verbs, form = "/payments", "PaymentInfo", PAYMENT_VERBS, PaymentForm
    list_title, edit_title, show_title = "Payment register", "Edit payment", "Payment"
    list_subtitle = "What each product costs, what pays for it and until when."
    empty_hint = "Every product that is added stands here."
    list_columns = [
        "product",
        "service",
        "state",
        "price",
        "payment_method",
        "expiry_date",
        "next_renewal_date",
    ]
    label_columns = {
        "price": "Amount",
        "cardholder_name": "Holder",
        "card_last4": "Card ends in",
        "expiry_date": "Expires",
        "payment_method": "Method",
        "renewal_frequency": "Renews",
        "next_renewal_date": "Next renewal",
        "auto_renew": "Renews by itself",
        "notice_days": "Notice in days",
    }
    order_columns = ["expiry_date", "payment_method", "next_renewal_date"]
    show_columns = [
        "product",
        "service",
        "state",
        "price",
        "cardholder_name",
        "card_last4",
        "expiry_date",
        "payment_method",
        "renewal_frequency",
        "next_renewal_date",
        "auto_renew",
        "notice_days",
        "updated_at",
    ]
    search_columns = [
        "product",
        "amount",
        "currency",
        "cardholder_name",
        "expiry_date",
        "payment_method",
        "renewal_frequency",
        "next_renewal_date",
    ]
    base_order = ("id", "asc")
