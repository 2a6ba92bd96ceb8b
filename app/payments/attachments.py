"""Where the content of invoices lies: in `DATA_DIR/attachments`, outside of what is served, under names of our own."""

import os
import secrets
from pathlib import Path

from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from app.foundation.database import db

_KEPT = "attachments_kept"


def folder() -> Path:
    """The folder, readable for nobody else."""
    path = Path(current_app.config["ATTACHMENTS"])
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def path_of(stored_name: str) -> Path:
    """Where a content lies."""
    return folder() / stored_name


def keep(content: bytes) -> str:
    """Write a content down, safe from a power cut, and return its name; it goes again if the transaction does."""
    name = secrets.token_hex(16)
    path = path_of(name)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    db.session().info.setdefault(_KEPT, []).append(path)
    return name


@event.listens_for(db.session, "after_commit")
def _settle(session: Session) -> None:
    session.info.pop(_KEPT, None)


@event.listens_for(db.session, "after_soft_rollback")
def _undo(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for path in session.info.pop(_KEPT, []):
            path.unlink(missing_ok=True)
