"""The company's rules of reminders, and those of single products."""

from collections.abc import Iterable
from typing import Any

from app.foundation.database import assign, db
from app.foundation.errors import Forbidden, InvalidInput
from app.foundation.references import visible
from app.foundation.scoping import is_scoped
from app.foundation.viewer import current_viewer
from app.inventory.models import Product
from app.reminders import queries, thresholds
from app.reminders.models import ProductReminders, ReminderRules


def change_rules(**fields: Any) -> ReminderRules:
    """Change the company's rules: `days`, `escalate_after`, `access_days`."""
    _must_be_admin()
    rules = queries.rules()
    if "days" in fields:
        fields["days"] = _days(fields["days"])
    assign(rules, fields, ("days", "escalate_after", "access_days"))
    db.session.flush()
    return rules


def create_product_reminders(*, product_id: int, days: Any) -> ProductReminders:
    """Other days for one product; none at all means that it is told of only when it is overdue."""
    _must_be_admin()
    product = visible(Product, product_id, "product_id")
    row = ProductReminders(product=product, days=_days(days))
    db.session.add(row)
    db.session.flush()
    return row


def change_product_reminders(row: ProductReminders, **fields: Any) -> ProductReminders:
    """Change them; the product stays."""
    _must_be_admin()
    if "days" in fields:
        row.days = _days(fields["days"])
    db.session.flush()
    return row


def delete_product_reminders(row: ProductReminders) -> None:
    """The company's rule holds again."""
    _must_be_admin()
    db.session.delete(row)
    db.session.flush()


def _days(given: str | Iterable[int] | None) -> list[int]:
    try:
        return (
            thresholds.days_of(given or "")
            if given is None or isinstance(given, str)
            else thresholds.checked(given)
        )
    except ValueError as error:
        raise InvalidInput(days=str(error)) from None


def _must_be_admin() -> None:
    viewer = current_viewer()
    if is_scoped() and not (viewer and viewer.is_admin):
        raise Forbidden("Only an Admin changes the rules of reminders.")
