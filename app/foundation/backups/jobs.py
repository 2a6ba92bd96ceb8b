"""The nightly backup."""

from sqlalchemy import text

from app.foundation.backups import making
from app.foundation.database import db
from app.foundation.jobs import job


@job
def make_backup() -> str:
    """May run for as long as it takes: the transaction that waits for it is not given up meanwhile."""
    db.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    made = making.make()
    lost = f", {len(made.missing)} files are missing" if made.missing else ""
    return f"{made.path.name}, {made.size} bytes{lost}"
