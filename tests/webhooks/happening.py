"""Something that other systems hear of, and what the portal says about it."""

from sqlalchemy import select

from app.audit.models import AuditEntry
from app.directory.models import Person
from app.foundation.database import db
from app.inventory import operations as inventory
from app.notifications.models import Notification


def happen(name: str = "Zoom") -> None:
    """Something that other systems hear of."""
    inventory.create_service(name=name)
    db.session.commit()


def notices() -> list[str]:
    """What root was told; the other Admin was told the same."""
    query = select(Notification.title).join(Person).where(Person.name == "Root")
    return list(db.session.scalars(query.order_by(Notification.id)))


def actions() -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.action.like("webhook%")).order_by(AuditEntry.id)
    return list(db.session.scalars(query))
