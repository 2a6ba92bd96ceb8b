"""The verbs of outgoing webhooks."""

from app.webhooks.operations.calling import make as make_call
from app.webhooks.operations.delivering import count_due, drain
from app.webhooks.operations.endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    reveal_secret,
    rotate_secret,
)
from app.webhooks.operations.publishing import hand_out, wake
from app.webhooks.operations.recording import record
from app.webhooks.operations.replaying import replay, replay_failed, start_test
from app.webhooks.operations.retention import prune

__all__ = [
    "change_endpoint",
    "count_due",
    "create_endpoint",
    "delete_endpoint",
    "drain",
    "hand_out",
    "make_call",
    "prune",
    "record",
    "replay",
    "replay_failed",
    "reveal_secret",
    "rotate_secret",
    "start_test",
    "wake",
]
