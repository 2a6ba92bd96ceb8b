"""Only Admins read the log."""

from sqlalchemy import ColumnElement, false

from app.audit.models import AuditCheck, AuditEntry
from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer


@row_rule(AuditEntry)
@row_rule(AuditCheck)
def visible_entries(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody but Admins, whom no rule holds."""
    return false()
