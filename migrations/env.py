"""Alembic, on the application's own engine. Migrations wait for each other, and never long for anybody's lock."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from app.foundation import migrating
from app.foundation.database import db


def run() -> None:
    """One transaction for all of it: a migration that fails leaves nothing behind, the lock and time-outs included.

    They belong to the transaction and not to the session, because between PgBouncer and PostgreSQL there is none.
    """
    with db.engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": migrating.ONE_MIGRATION})
        connection.execute(text(f"SET LOCAL lock_timeout = '{migrating.LOCK_SECONDS}s'"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        options = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


run()
