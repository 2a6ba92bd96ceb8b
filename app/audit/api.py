"""The generated API of the audit log: to read."""

from app.audit.models import AuditEntry
from app.foundation.api import PortalModelApi
from app.foundation.fab import PortalInterface


class AuditEntryApi(PortalModelApi):
    """Entries."""

    datamodel = PortalInterface(AuditEntry)
    resource_name, noun = "audit-logs", "AuditEntry"
    list_columns = [
        "id",
        "created_at",
        "action",
        "target_type",
        "target_id",
        "target_label",
        "actor_id",
        "actor_name",
        "actor_email",
        "address",
        "request_id",
        "before",
        "after",
    ]
    search_columns = [
        "id",
        "created_at",
        "action",
        "target_type",
        "target_id",
        "actor_id",
        "actor_email",
        "request_id",
    ]
    order_columns = ["id", "created_at"]
    base_order = ("id", "desc")
