"""Shapes of services, products, assignments and grants in requests."""

from marshmallow import fields, validate

from app.foundation.schemas import Key, PortalSchema, Text
from app.inventory.models import AccessLevel, ProductStatus


class ServiceSchema(PortalSchema):
    """A service."""

    name = Text(required=True)
    vendor = Text(allow_none=True)
    url = Text(2000, allow_none=True)
    description = Text(2000, allow_none=True)


class ProductSchema(PortalSchema):
    """A product of a service."""

    service_id = Key(required=True)
    name = Text(required=True)
    url = Text(2000, allow_none=True)
    description = Text(2000, allow_none=True)
    status = fields.String(validate=validate.OneOf([status.value for status in ProductStatus]))


class AssignmentSchema(PortalSchema):
    """Who administers a service or a product."""

    person_id = Key(required=True)
    service_id = Key(allow_none=True)
    product_id = Key(allow_none=True)


class GrantSchema(PortalSchema):
    """Who uses a product."""

    person_id = Key(required=True)
    product_id = Key(required=True)
    level = fields.String(validate=validate.OneOf([level.value for level in AccessLevel]))
    valid_from = fields.Date(allow_none=True)
    valid_until = fields.Date(allow_none=True)
