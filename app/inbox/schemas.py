"""Shapes of work on a task in requests."""

from marshmallow import fields, validate

from app.foundation.schemas import PortalSchema, Text
from app.inbox.models import TaskStatus


class TaskWorkSchema(PortalSchema):
    """A new status, a comment, or both."""

    status = fields.String(validate=validate.OneOf([status.value for status in TaskStatus]))
    comment = Text(5000, allow_none=True)
