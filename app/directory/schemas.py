"""Shapes of people and departments in requests."""

from marshmallow import fields

from app.foundation.schemas import Key, PortalSchema, Text


class DepartmentSchema(PortalSchema):
    """A department."""

    name = Text(required=True)
    description = Text(2000, allow_none=True)


class PersonSchema(PortalSchema):
    """A person in the directory."""

    name = Text(required=True)
    email = Text(320, required=True)
    department_id = Key(allow_none=True)
    position = Text(allow_none=True)
    external_id = Text(allow_none=True)
    active = fields.Boolean()
    starts_on = fields.Date(allow_none=True)
    last_day = fields.Date(allow_none=True)
