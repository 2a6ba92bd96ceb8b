"""What the log says."""

from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation.database import db


def entries(action: str) -> list[AuditEntry]:
    db.session.expire_all()
    return list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id))
    )


def last(action: str) -> AuditEntry:
    return entries(action)[-1]
