"""Where the content of invoices lies: in the store of files, outside of what is served, under names of our own."""

import logging
import secrets
from typing import BinaryIO

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.foundation.database import db
from app.foundation.storage import StorageGone, holds_names, store
from app.payments.history_models import Invoice

log = logging.getLogger(__name__)

_KEPT = "attachments_kept"

holds_names(Invoice.__tablename__, Invoice.stored_name.key)


def keep(content: bytes) -> str:
    """Store a content, safe from a power cut, and return its name; it goes again if the transaction does."""
    name = secrets.token_hex(16)
    store().put(name, content)
    db.session().info.setdefault(_KEPT, []).append(name)
    return name


def open_content(name: str) -> tuple[BinaryIO, int]:
    """A content and how many bytes it has. NoSuchFile if it is gone."""
    size = store().size(name)
    return store().open(name), size


@event.listens_for(db.session, "after_commit")
def _settle(session: Session) -> None:
    session.info.pop(_KEPT, None)


@event.listens_for(db.session, "after_soft_rollback")
def _undo(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for name in session.info.pop(_KEPT, []):
            _drop(name)


def _drop(name: str) -> None:
    """A content that belongs to no row harms nobody, so a store that is gone just now need not be waited for."""
    try:
        store().delete(name)
    except StorageGone:
        log.warning("the file %s belongs to no row, and could not be deleted", name)
