"""A notice is for one person and nobody else, Admins included. What left the portal, and to whom, is for Admins."""

from sqlalchemy import ColumnElement, false

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer
from app.notifications.message_models import Message
from app.notifications.models import Notification
from app.notifications.preference_models import ChatChannel, MessageChoice, MessageSettings


@row_rule(Notification, holds_admins=True)
def visible_notices(viewer: Viewer) -> ColumnElement[bool]:
    """One's own."""
    return Notification.person_id == viewer.id


@row_rule(MessageChoice, holds_admins=True)
def visible_choices(viewer: Viewer) -> ColumnElement[bool]:
    """One's own, and the company's, which hold for everybody who chose nothing."""
    return MessageChoice.person_id.is_(None) | (MessageChoice.person_id == viewer.id)


@row_rule(MessageSettings, holds_admins=True)
def visible_settings(viewer: Viewer) -> ColumnElement[bool]:
    """As for choices."""
    return MessageSettings.person_id.is_(None) | (MessageSettings.person_id == viewer.id)


@row_rule(Message)
@row_rule(ChatChannel)
def admins_only(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody but Admins, whom no rule holds."""
    return false()
