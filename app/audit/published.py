"""The published API of the audit log: /audit-logs."""

from datetime import date
from typing import Any

from flask import Response, request
from flask_appbuilder.api import expose

from app.audit import queries
from app.audit.models import AuditEntry
from app.audit.schemas import ENTRY
from app.foundation.api import rendered
from app.foundation.errors import InvalidInput
from app.foundation.openapi.describing import ID, PAGED, asks, describes, page_of
from app.foundation.published import PublishedApi, needs, page_asked, text_asked, wrapped
from app.foundation.references import parse_key


class AuditLogsApi(PublishedApi):
    """Entries, newest first, for Admins."""

    path = "/audit-logs"

    @expose("", methods=["GET"])
    @describes(
        "listAuditLogs",
        "The audit log, newest first",
        answers={200: page_of(ENTRY)},
        takes=(
            asks("actorUserId", "Who did it: the id of a user.", maxLength=200, **ID),
            asks("action", "What was done.", type="string", examples=["service.create"]),
            asks("targetId", "What it was done to.", maxLength=200, **ID),
            asks("from", "The first day.", type="string", format="date"),
            asks("to", "The last day, included.", type="string", format="date"),
            *PAGED,
        ),
    )
    @rendered
    @needs("can_read", "AuditEntry")
    def listed(self) -> Response:
        """`actorUserId`, `action`, `targetId`, and the days `from` and `to`, both included."""
        wanted = queries.LogFilter(
            actor_id=_key_asked("actorUserId"),
            action=text_asked("action") or None,
            target_id=text_asked("targetId") or None,
            first_day=_day_asked("from"),
            last_day=_day_asked("to"),
        )
        page, limit = page_asked()
        entries, total = queries.page(wanted, ENTRY_COLUMNS, number=page, size=limit)
        return wrapped([entry_json(entry) for entry in entries], page, limit, total)


ENTRY_COLUMNS = (
    AuditEntry.id,
    AuditEntry.created_at,
    AuditEntry.action,
    AuditEntry.target_type,
    AuditEntry.target_id,
    AuditEntry.target_label,
    AuditEntry.actor_id,
    AuditEntry.actor_name,
    AuditEntry.actor_email,
    AuditEntry.address,
    AuditEntry.request_id,
    AuditEntry.before,
    AuditEntry.after,
)


def entry_json(row: Any) -> dict[str, Any]:
    """An Audit entry of the contract, from `ENTRY_COLUMNS`."""
    (
        key, created_at, action, target_type, target_id, target_label, actor_id, actor_name, actor_email, address,
        request_id, before, after,
    ) = row  # fmt: skip
    actor = {"id": str(actor_id), "name": actor_name, "email": actor_email}
    return {
        "id": str(key),
        "actor": None if actor_id is None else actor,
        "action": action,
        "targetId": target_id,
        "details": {
            "actor": actor_name,
            "target": target_label,
            "targetType": target_type,
            "before": before,
            "after": after,
            "address": address,
        },
        "createdAt": created_at,
        "requestId": request_id,
    }


def _key_asked(name: str) -> int | None:
    text = request.args.get(name, "")
    key = parse_key(text)
    if text and key is None:
        raise InvalidInput(**{name: "Send the id of a user."})
    return key


def _day_asked(name: str) -> date | None:
    """A date, or the date of a timestamp."""
    text = text_asked(name, 40)
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:
        raise InvalidInput(**{name: "Send a date: YYYY-MM-DD."}) from None
