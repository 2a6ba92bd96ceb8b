"""The rules are the Admins'; an answer is seen by whom it is for, and if that is everybody, by whose product it is about."""

from sqlalchemy import ColumnElement, and_, false, or_

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer
from app.inventory.access import products_of
from app.reminders.models import ProductReminders, ReminderAnswer, ReminderRules, ReminderSent


@row_rule(ReminderRules)
@row_rule(ProductReminders)
@row_rule(ReminderSent)
def admins_only(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody but Admins, whom no rule holds."""
    return false()


@row_rule(ReminderAnswer)
def visible_answers(viewer: Viewer) -> ColumnElement[bool]:
    """One's own, and those for everybody about products that one administers."""
    for_all = and_(ReminderAnswer.person_id.is_(None), ReminderAnswer.product_id.in_(products_of(viewer)))
    return or_(ReminderAnswer.person_id == viewer.id, for_all)
