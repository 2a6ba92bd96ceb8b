"""Alembic, on the application's own engine. Migrations wait for each other, and never long for anybody's lock."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from app.foundation.database import db

LOCK_TIMEOUT = "5s"
ONE_AT_A_TIME = 7034222


def run() -> None:
    """One transaction for all of it: a migration that fails leaves nothing behind."""
    with db.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
        options = current_app.extensions["migrate"].configure_args
        context.configure(connection=connection, target_metadata=db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
        connection.execute(text("RESET lock_timeout"))
        connection.execute(text("RESET statement_timeout"))
        connection.commit()


run()
