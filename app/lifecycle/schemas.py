"""Shapes of what HR sends, and of templates."""

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from app.directory.operations import valid_email
from app.foundation.errors import InvalidInput
from app.foundation.openapi.describing import ID, TEXT, Shape
from app.foundation.schemas import Key, PortalSchema, Text
from app.inventory.models import AccessLevel


class Email(Text):
    """An e-mail address."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        text = super()._deserialize(value, attr, data, **options)
        try:
            return valid_email(text) if text else None
        except InvalidInput as error:
            raise ValidationError(error.message) from None


class JoinerSchema(PortalSchema):
    """Somebody who joins."""

    name = Text(required=True)
    email = Email(320, required=True)
    department = Text(allow_none=True)
    position = Text(allow_none=True)
    external_id = Text(allow_none=True)
    start_date = fields.Date(allow_none=True)


class LeaverSchema(PortalSchema):
    """Somebody who leaves, by e-mail or external id."""

    email = Email(320, allow_none=True)
    external_id = Text(allow_none=True)
    last_day = fields.Date(allow_none=True)

    @validates_schema
    def one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        """Without either nobody is meant."""
        if not (data.get("email") or data.get("external_id")):
            raise ValidationError("Name the employee by email or externalId.", "email")


class OnboardingSchema(PortalSchema):
    """The body of the onboarding webhook."""

    employee = fields.Nested(JoinerSchema, required=True)


class OffboardingSchema(PortalSchema):
    """The body of the offboarding webhook."""

    employee = fields.Nested(LeaverSchema, required=True)


class TemplateSchema(PortalSchema):
    """An access template."""

    name = Text(required=True)
    department_id = Key(allow_none=True)
    position = Text(allow_none=True)
    level = fields.String(validate=validate.OneOf([level.value for level in AccessLevel]))
    active = fields.Boolean()
    product_ids = fields.List(Key(), required=True, validate=validate.Length(max=500))


RECEIVED = Shape(
    "Received", {"message": {**TEXT, "examples": ["Onboarding workflow triggered"]}, "eventId": ID}
)
