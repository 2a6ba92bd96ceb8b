"""The shape of an absence in requests."""

from marshmallow import fields

from app.foundation.schemas import Key, PortalSchema


class AbsenceSchema(PortalSchema):
    """Somebody is away, both days included."""

    person_id = Key(allow_none=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True)
    substitute_id = Key(allow_none=True)
    moves_tasks = fields.Boolean()
