"""Shapes of payments in requests, and as the published API answers with them."""

from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, fields

from app.foundation.currencies import plain
from app.foundation.openapi.describing import COUNT, ID, MAYBE_DATE, MAYBE_TEXT, TEXT, Shape
from app.foundation.schemas import Key, PortalSchema, Text
from app.payments import terms
from app.payments.status import PaymentState, PaymentStatus


class Amount(fields.Decimal):
    """An amount, as a number or better as its text."""

    def __init__(self) -> None:
        told = {"type": ["string", "number"], "examples": ["6.00"]}
        super().__init__(allow_none=True, metadata=told)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:  # noqa: ARG002
        if isinstance(value, str) and not value.strip():
            return None
        try:
            return terms.amount_of(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class Term(Text):
    """Text that has one spelling."""

    def __init__(self, spell: Callable[[str], str], most: int, example: str) -> None:
        super().__init__(most, allow_none=True, metadata={"examples": [example]})
        self.spell = spell

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        return text if text is None else self._validated(text)

    def _validated(self, text: str) -> str:
        self._validate(text)
        try:
            return self.spell(text)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class PaymentSchema(PortalSchema):
    """A payment, as the contract has it. Its status is computed, so nobody sends it."""

    amount = Amount()
    currency = Term(terms.currency_named, 3, "USD")
    cardholder_name = Text(terms.LONGEST_NAME, allow_none=True)
    card_last4 = Term(terms.last_four_of, 4, "4242")
    expiry_date = fields.Date(allow_none=True)
    payment_method = Term(terms.method_named, terms.LONGEST_METHOD, "Credit card")
    renewal_frequency = Term(terms.frequency_named, 50, "monthly")
    next_renewal_date = fields.Date(allow_none=True)


class PaymentInfoSchema(PaymentSchema):
    """A payment with what only the pages and the generated API know."""

    auto_renew = fields.Boolean()
    notice_days = fields.Integer(allow_none=True, strict=True)


class RegisterProductSchema(PortalSchema):
    """A new product with its payment."""

    service_id = Key(required=True)
    product_name = Text(required=True)
    payment_info = fields.Nested(PaymentSchema)


PAYMENT = Shape(
    "PaymentInfo",
    {
        "status": {"type": "string", "enum": [status.value for status in PaymentStatus]},
        "state": {"type": "string", "enum": [state.value for state in PaymentState]},
        "amount": {"type": ["string", "null"], "pattern": r"^[0-9]+(\.[0-9]+)?$", "examples": ["6.00"]},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "examples": ["USD"]},
        "cardholderName": {**MAYBE_TEXT, "examples": ["Jane Doe"]},
        "cardLast4": {"type": ["string", "null"], "pattern": "^[0-9]{4}$", "examples": ["4242"]},
        "expiryDate": MAYBE_DATE,
        "paymentMethod": {**MAYBE_TEXT, "examples": ["Credit card"]},
        "renewalFrequency": {**MAYBE_TEXT, "examples": ["monthly"]},
        "nextRenewalDate": MAYBE_DATE,
    },
)
REGISTER_ITEM = Shape(
    "RegisterItem",
    {
        "productId": ID,
        "productName": TEXT,
        "serviceId": ID,
        "serviceName": TEXT,
        "paymentInfo": PAYMENT,
    },
)
SUMMARY = Shape(
    "RegisterSummary",
    {
        "incompleteCount": COUNT,
        "total": COUNT,
        "byState": Shape("PaymentsByState", {state.value: COUNT for state in PaymentState}),
    },
)


def item_json(row: Any) -> dict[str, Any]:
    """A register item of the contract, from a row of `queries.register`."""
    (
        product_id, product_name, service_id, service_name, status, state, amount, currency,
        holder, last4, expiry, method, frequency, renewal,
    ) = row  # fmt: skip
    return {
        "productId": str(product_id),
        "productName": product_name,
        "serviceId": str(service_id),
        "serviceName": service_name,
        "paymentInfo": {
            "status": status,
            "state": state,
            "amount": None if amount is None else plain(amount, currency),
            "currency": currency,
            "cardholderName": holder,
            "cardLast4": last4,
            "expiryDate": expiry,
            "paymentMethod": method,
            "renewalFrequency": frequency,
            "nextRenewalDate": renewal,
        },
    }


def summary_json(counts: dict[str, int]) -> dict[str, Any]:
    """How many payments there are, and in which states."""
    return {
        "incompleteCount": counts[PaymentState.INCOMPLETE.value],
        "total": sum(counts.values()),
        "byState": counts,
    }
