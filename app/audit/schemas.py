"""The shape of an entry of the audit log, as the published API answers with it."""

from app.foundation.openapi.describing import EMAIL, ID, MAYBE_ID, MAYBE_TEXT, MOMENT, TEXT, Shape

_ACTOR = Shape("Actor", {"id": ID, "name": MAYBE_TEXT, "email": {**EMAIL, "type": ["string", "null"]}})
_WORD = {**TEXT, "examples": ["service.create"]}
ENTRY = Shape(
    "AuditEntry",
    {
        "id": ID,
        "actor": {"oneOf": [_ACTOR, {"type": "null"}], "example": None},
        "action": _WORD,
        "targetId": MAYBE_ID,
        "details": {"type": "object", "description": "Names, and values before and after.", "example": {}},
        "createdAt": MOMENT,
        "requestId": MAYBE_TEXT,
    },
)
