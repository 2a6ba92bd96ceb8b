"""A payment as the form sends it, with the files of its invoices."""

import io
from pathlib import Path

from sqlalchemy import select

from app.directory.models import Role
from app.foundation.database import db
from app.foundation.storage import store
from app.payments.history_models import Invoice

FORM = {
    "paid_on": "2026-03-01",
    "amount": "12.00",
    "currency": "USD",
    "period_start": "2026-03-01",
    "period_end": "2026-03-31",
    "method": "Invoice",
    "note": "First month",
}


def upload(*files: tuple[bytes, str], **fields) -> dict:
    return {**fields, "invoices": [(io.BytesIO(content), name) for content, name in files]}


def kept_files(app) -> list[Path]:
    with app.app_context():
        return sorted(store().path / name for name in store().names())


def keys_of_invoices(app) -> dict[str, int]:
    with app.app_context():
        return {one.name: one.id for one in db.session.scalars(select(Invoice))}


def grant_reading(app) -> None:
    """ServiceAdministrators may read payments, as an Admin says on the role page."""
    with app.app_context():
        security = app.appbuilder.sm
        role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
        security.add_permission_role(role, security.find_permission_view_menu("can_read", "PaymentInfo"))
        db.session.commit()
