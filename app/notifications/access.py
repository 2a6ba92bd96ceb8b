"""A notice is for one person and nobody else, Admins included."""

from sqlalchemy import ColumnElement

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer
from app.notifications.models import Notification


@row_rule(Notification, holds_admins=True)
def visible_notices(viewer: Viewer) -> ColumnElement[bool]:
    """One's own."""
    return Notification.person_id == viewer.id
