"""What stands in a database, to be compared before and after a migration."""

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.foundation.database import db
from tests.architecture.sources import ROOT

SCRIPT = ScriptDirectory(str(ROOT / "migrations"))
SHAPE = """
    SELECT c.relname || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind = 'r'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT tgrelid::regclass || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT p.oid::regprocedure || md5(prosrc) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
COLUMNS = """
    SELECT attname || ' ' || atttypid || ' ' || attnotnull FROM pg_attribute
    WHERE attrelid = CAST(:table AS regclass) AND attnum > 0 AND NOT attisdropped
"""


def shape() -> list[str]:
    """Every column, constraint, index, trigger and function of the database."""
    with db.engine.connect() as connection:
        return sorted(connection.scalars(text(SHAPE)))


def state(*, stamped: str | None = None) -> tuple[list[str], dict[str, tuple[int, str]]]:
    """The shape, and (rows, checksum of all their values) by table; the order of rows makes no difference.

    Of a stamped table the rows are counted only.
    """
    with db.engine.connect() as connection:
        found = {table: _content(connection, table) for table in connection.scalars(text(TABLES)).all()}
    if stamped:
        found[stamped] = found[stamped][0], ""
    return shape(), found


def _content(connection: Connection, table: str) -> tuple[int, str]:
    query = f'SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM "{table}" t'
    rows, checksum = connection.execute(text(query)).one()
    return rows, checksum


def columns() -> dict[str, set[str]]:
    """The columns of each table, with their types."""
    with db.engine.connect() as connection:
        tables = connection.scalars(text(TABLES)).all()
        return {table: set(connection.scalars(text(COLUMNS), {"table": table})) for table in tables}
