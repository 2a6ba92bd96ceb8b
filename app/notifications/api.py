"""The generated API of notices: one's own, to read."""

from app.foundation.api import PortalModelApi
from app.foundation.fab import PortalInterface
from app.notifications.models import Notification


class NotificationApi(PortalModelApi):
    """Notices."""

    datamodel = PortalInterface(Notification)
    resource_name, noun = "notifications", "Notification"
    list_columns = ["id", "kind", "title", "body", "href", "created_at", "read_at"]
    search_columns = ["id", "kind", "title", "created_at", "read_at"]
    order_columns = ["id", "created_at", "read_at"]
    base_order = ("id", "desc")
