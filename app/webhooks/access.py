"""Webhooks are the Admins' business: what is sent names people and what they use."""

from sqlalchemy import ColumnElement, false

from app.foundation.errors import Forbidden
from app.foundation.scoping import is_scoped, row_rule
from app.foundation.viewer import Viewer, current_viewer
from app.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookMessage


@row_rule(WebhookEndpoint)
@row_rule(WebhookMessage)
@row_rule(WebhookDelivery)
@row_rule(WebhookAttempt)
def admins_only(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody else."""
    return false()


def must_be_admin() -> None:
    """Forbidden for everybody else, whatever the role page grants."""
    viewer = current_viewer()
    if is_scoped() and not (viewer and viewer.is_admin):
        raise Forbidden("Only an Admin decides what other systems are told.")
