"""The shape of a rate in requests."""

from typing import Any

from marshmallow import ValidationError, fields

from app.foundation.schemas import PortalSchema, Text
from app.payments import rates_operations as rates


class Rate(fields.Decimal):
    """A rate, as a number or better as its text."""

    def __init__(self, **options: Any) -> None:
        told = {"type": ["string", "number"], "examples": ["1.0842"]}
        super().__init__(metadata=told, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:  # noqa: ARG002
        try:
            return rates.rate_of(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class ExchangeRateSchema(PortalSchema):
    """A rate into the company's currency."""

    currency = Text(3, required=True, metadata={"examples": ["EUR"]})
    day = fields.Date(required=True)
    rate = Rate(required=True)
