"""Who calls is asked in functions of PL/pgSQL: PostgreSQL keeps their plan, and planning took four times the asking.

Every request pays for this statement. A prepared one would do as well, but not behind a pooler of connections.
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CALLER = """
CREATE FUNCTION {name}({arguments}) RETURNS TABLE (
    id integer, first_name text, last_name text, email text, person_id integer, role_names text[]{told_more}
) LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
    RETURN QUERY
    SELECT account.id, account.first_name::text, account.last_name::text, account.email::text, person.id, ARRAY(
        SELECT role.name::text FROM ab_role AS role
        WHERE role.id IN (SELECT own.role_id FROM ab_user_role AS own WHERE own.user_id = account.id)
        OR role.id IN (
            SELECT held.role_id FROM ab_group_role AS held JOIN ab_user_group AS member ON member.group_id = held.group_id
            WHERE member.user_id = account.id
        )
    ){more}
    FROM ab_user AS account LEFT JOIN users AS person ON person.account_id = account.id
    {condition};
END
$$
"""
FUNCTIONS = {
    "caller_by_account": {
        "arguments": "given_account integer",
        "condition": "WHERE account.id = given_account",
    },
    "caller_by_session": {
        "arguments": "given_account integer, given_session text",
        "condition": """
            JOIN sign_in_sessions AS session ON session.account_id = account.id
            WHERE account.id = given_account AND account.active
            AND session.id = given_session AND session.ended_at IS NULL
        """,
    },
    "caller_by_token": {
        "arguments": "given_hash bytea, today date",
        "told_more": ", token_id integer, scopes text[], last_used_at timestamptz",
        "more": ", token.id, token.scopes, token.last_used_at",
        "condition": """
            JOIN api_tokens AS token ON token.account_id = account.id
            WHERE token.token_hash = given_hash AND token.revoked_at IS NULL AND token.expires_on >= today
            AND account.active
        """,
    },
}


def upgrade() -> None:
    for name, parts in FUNCTIONS.items():
        op.execute(CALLER.format(**{"told_more": "", "more": "", "name": name, **parts}))


def downgrade() -> None:
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
