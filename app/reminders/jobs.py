"""What reminds people by itself."""

from app.foundation.jobs import job
from app.reminders import operations as reminders
from app.reminders.messages import counted


@job
def check_payments() -> str:
    """The payment expiry check."""
    people, items = reminders.tell_of_payments()
    return f"{counted(people, 'person', 'people')} told of {counted(items, 'item')}"


@job
def check_tasks() -> str:
    """Mondays' reminder of open tasks."""
    people, tasks = reminders.tell_of_tasks()
    return f"{counted(people, 'person', 'people')} told of {counted(tasks, 'task')}"


@job
def escalate_tasks() -> str:
    """Tasks that are overdue too long."""
    return f"{counted(reminders.escalate_tasks(), 'task')} escalated"


@job
def check_access() -> str:
    """Access that ends soon."""
    return f"{counted(reminders.tell_of_access(), 'notice')} of access that ends"
