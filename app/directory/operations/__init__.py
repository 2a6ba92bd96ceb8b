"""The verbs of the directory: people and departments, and the accounts they sign in with."""

from app.directory.operations.accounts import (
    accept_invitation,
    change_password,
    change_roles,
    check_an_admin_remains,
    close_sign_in,
    end_session,
    end_sessions,
    ensure_account,
    grant_role,
    invite,
    invited_account,
    link_account,
    open_sign_in,
)
from app.directory.operations.api_tokens import allows, create_token, note_use, revoke_token
from app.directory.operations.people import (
    change_department,
    change_person,
    create_department,
    create_person,
    deactivate_person,
    delete_department,
    reactivate_person,
    valid_email,
)
from app.directory.operations.refreshing import refresh_session
from app.directory.operations.signing_in import Line, authenticate
from app.directory.operations.throttle import count_attempt, forgive, prune_limits, refusal

__all__ = [
    "Line",
    "accept_invitation",
    "allows",
    "authenticate",
    "change_department",
    "change_password",
    "change_person",
    "change_roles",
    "check_an_admin_remains",
    "close_sign_in",
    "count_attempt",
    "create_department",
    "create_person",
    "create_token",
    "deactivate_person",
    "delete_department",
    "end_session",
    "end_sessions",
    "ensure_account",
    "forgive",
    "grant_role",
    "invite",
    "invited_account",
    "link_account",
    "note_use",
    "open_sign_in",
    "prune_limits",
    "reactivate_person",
    "refresh_session",
    "refusal",
    "revoke_token",
    "valid_email",
]
