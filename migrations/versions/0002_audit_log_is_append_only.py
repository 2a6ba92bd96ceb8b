"""The audit log numbers, times and chains its own entries, and refuses to change or lose one.

The digest is SHA-256 (FIPS 180-4) over the previous digest and the row as canonical JSON text: `jsonb` sorts its keys,
and the time is written in UTC whatever the session's zone is.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTALL = (
    """
    CREATE FUNCTION audit_log_digest(entry audit_logs) RETURNS bytea LANGUAGE sql STABLE AS $$
        SELECT sha256(entry.previous_hash || convert_to((
            (to_jsonb(entry) - 'hash' - 'previous_hash' - 'created_at')
            || jsonb_build_object('at', to_char(entry.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
        )::text, 'UTF8'))
    $$
    """,
    """
    CREATE FUNCTION audit_log_chain() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE head audit_logs;
    BEGIN
        PERFORM pg_advisory_xact_lock(7034221);
        SELECT * INTO head FROM audit_logs ORDER BY id DESC LIMIT 1;
        NEW.id := coalesce(head.id, 0) + 1;
        NEW.created_at := clock_timestamp();
        NEW.previous_hash := coalesce(head.hash, '\\x'::bytea);
        NEW.hash := audit_log_digest(NEW);
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'audit_logs is append-only: % is refused', TG_OP USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    "CREATE TRIGGER audit_logs_chain BEFORE INSERT ON audit_logs FOR EACH ROW EXECUTE FUNCTION audit_log_chain()",
    (
        "CREATE TRIGGER audit_logs_keep BEFORE UPDATE OR DELETE ON audit_logs"
        " FOR EACH ROW EXECUTE FUNCTION audit_log_refuse()"
    ),
    (
        "CREATE TRIGGER audit_logs_keep_all BEFORE TRUNCATE ON audit_logs"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()"
    ),
)

REMOVE = (
    "DROP TRIGGER audit_logs_keep_all ON audit_logs",
    "DROP TRIGGER audit_logs_keep ON audit_logs",
    "DROP TRIGGER audit_logs_chain ON audit_logs",
    "DROP FUNCTION audit_log_refuse()",
    "DROP FUNCTION audit_log_chain()",
    "DROP FUNCTION audit_log_digest(audit_logs)",
)


def upgrade() -> None:
    for statement in INSTALL:
        op.execute(statement)


def downgrade() -> None:
    for statement in REMOVE:
        op.execute(statement)
