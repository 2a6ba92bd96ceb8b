"""What reminds people by itself."""

from app.foundation.jobs import job
from app.reminders import operations as reminders


@job
def check_payments() -> str:
    """The payment expiry check."""
    people, items = reminders.tell_of_payments()
    return f"{people} people told of {items} items"


@job
def check_tasks() -> str:
    """Mondays' reminder of open tasks."""
    people, tasks = reminders.tell_of_tasks()
    return f"{people} people told of {tasks} tasks"


@job
def escalate_tasks() -> str:
    """Tasks that are overdue too long."""
    return f"{reminders.escalate_tasks()} tasks escalated"


@job
def check_access() -> str:
    """Access that ends soon."""
    return f"{reminders.tell_of_access()} notices of access that ends"
