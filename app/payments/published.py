"""The published API of the payment register."""

from typing import Any

from flask import Response, jsonify
from flask_appbuilder.api import expose

from app.foundation.api import rendered
from app.foundation.errors import NotFound
from app.foundation.idempotency import retriable
from app.foundation.openapi.describing import PAGED, Many, describes
from app.foundation.published import PublishedApi, bare, done, each, needs, tagged, unchanged
from app.foundation.references import parse_key
from app.foundation.schemas import body_of_request, load
from app.foundation.transactions import transaction
from app.payments import operations as payments
from app.payments import queries
from app.payments.models import PaymentInfo
from app.payments.schemas import (
    REGISTER_ITEM,
    SUMMARY,
    PaymentSchema,
    RegisterProductSchema,
    item_json,
    summary_json,
)


class PaymentRegisterApi(PublishedApi):
    """Every product with its payment."""

    path = "/payment-register"

    @expose("", methods=["GET"])
    @describes(
        "listPayments",
        "Every product with its payment, incomplete first, then by service and product",
        answers={200: Many(REGISTER_ITEM)},
        takes=PAGED,
    )
    @rendered
    @needs("can_read", "PaymentInfo")
    def listed(self) -> Response:
        """The whole register, or a page of it."""
        return bare(queries.register(), each(item_json))

    @expose("", methods=["POST"])
    @describes(
        "registerProduct",
        "Add a product with its payment",
        answers={201: REGISTER_ITEM},
        body=RegisterProductSchema(),
        example={
            "serviceId": "3",
            "productName": "Notion Plus",
            "paymentInfo": {"amount": "12.00", "currency": "USD", "paymentMethod": "Credit card"},
        },
        refuses=(409,),
    )
    @rendered
    @needs("can_edit", "PaymentInfo")
    @needs("can_add", "Product")
    @retriable
    def create(self) -> Response:
        """The product and its payment, both or neither."""
        sent = {"payment_info": {}, **load(RegisterProductSchema(), body_of_request())}
        with transaction():
            payment = payments.register_product(**sent)
        return tagged(_shown(payment), 201)

    @expose("/summary", methods=["GET"])
    @describes("paymentSummary", "How many payments are in which state", answers={200: SUMMARY})
    @rendered
    @needs("can_read", "PaymentInfo")
    def summary(self) -> Response:
        """Counts of what one may see."""
        return jsonify(summary_json(queries.counts_by_state()))

    @expose("/<product_key>", methods=["GET"])
    @describes("getPayment", "One product with its payment", answers={200: REGISTER_ITEM})
    @rendered
    @needs("can_read", "PaymentInfo")
    def one(self, product_key: str) -> Response:
        """One item of the register."""
        return tagged(_shown(_payment_of(product_key)))

    @expose("/<product_key>", methods=["PUT"])
    @describes(
        "changePayment",
        "Change the payment of a product",
        answers={204: None},
        body=PaymentSchema(),
        partial=True,
        example={"amount": "12.50", "expiryDate": "2031-03-31"},
        refuses=(412,),
    )
    @rendered
    @needs("can_edit", "PaymentInfo")
    def change(self, product_key: str) -> Response:
        """What is not sent keeps its value. The status follows from the rest."""
        payment = _payment_of(product_key)
        with transaction():
            unchanged(payment, _shown)
            payments.change_payment(payment, **load(PaymentSchema(), body_of_request(), partial=True))
        return done()


def _payment_of(product_key: str) -> PaymentInfo:
    number = parse_key(product_key)
    payment = queries.payment_of(number) if number else None
    if payment is None:
        raise NotFound("There is no such product, or you may not see what is paid for it.")
    return payment


def _shown(payment: PaymentInfo) -> dict[str, Any]:
    return item_json(queries.register_row(payment.product_id))
