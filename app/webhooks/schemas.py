"""The shape of an endpoint in requests."""

from marshmallow import fields, validate

from app.foundation.reachable import LONGEST_URL
from app.foundation.schemas import PortalSchema, Text
from app.webhooks.catalogue import BY_NAME, EVENT_TYPES


class EndpointSchema(PortalSchema):
    """Where messages go, and which."""

    name = Text(required=True)
    url = Text(
        LONGEST_URL, required=True, metadata={"examples": ["https://tickets.example.com/hooks/portalops"]}
    )
    every_event = fields.Boolean(metadata={"description": "Also those that come later."})
    event_types = fields.List(
        fields.String(
            validate=validate.OneOf(list(BY_NAME), error="There is no such event type."),
            metadata={"examples": [EVENT_TYPES[0].name]},
        ),
        validate=validate.Length(max=len(BY_NAME)),
        metadata={"description": "Without `every_event`, at least one."},
    )
    enabled = fields.Boolean()
