"""What HR said and what became of it is for Admins; a joiner sees their own case.

A leaver does not see theirs: the portal is not where somebody should learn of it.
"""

from sqlalchemy import ColumnElement, and_, false

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer
from app.lifecycle.models import AccessTemplate, EventKind, HrEvent, LifecycleCase


@row_rule(HrEvent)
@row_rule(AccessTemplate)
def admins_only(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody but Admins, whom no rule holds."""
    return false()


@row_rule(LifecycleCase)
def visible_cases(viewer: Viewer) -> ColumnElement[bool]:
    """One's own joining."""
    return and_(LifecycleCase.person_id == viewer.id, LifecycleCase.kind == EventKind.ONBOARDING)
