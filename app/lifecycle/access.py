"""What HR said and what became of it is for Admins; whoever a case is about sees it on their own page."""

from sqlalchemy import ColumnElement, false

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer
from app.lifecycle.models import AccessTemplate, HrEvent, LifecycleCase


@row_rule(HrEvent)
@row_rule(AccessTemplate)
def admins_only(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody but Admins, whom no rule holds."""
    return false()


@row_rule(LifecycleCase)
def visible_cases(viewer: Viewer) -> ColumnElement[bool]:
    """One's own."""
    return LifecycleCase.person_id == viewer.id
