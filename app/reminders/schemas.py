"""Shapes of rules and answers in requests."""

from enum import StrEnum

from marshmallow import fields, validate

from app.foundation.schemas import Key, PortalSchema
from app.reminders.thresholds import FURTHEST, MOST


class Doing(StrEnum):
    """What can be done about a reminder."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"
    AGAIN = "again"


class ProductRemindersSchema(PortalSchema):
    """Days of one product."""

    product_id = Key(required=True)
    days = fields.List(
        fields.Integer(strict=True, validate=validate.Range(min=1, max=FURTHEST)),
        required=True,
        validate=validate.Length(max=MOST),
    )
