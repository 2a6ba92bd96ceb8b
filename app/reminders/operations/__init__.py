"""The verbs of reminders: tell people what waits for them, take their answers, change the rules."""

from app.reminders.operations.answering import (
    answer_items,
    answer_task,
    task_to_answer,
    withdraw_items,
    withdraw_task,
)
from app.reminders.operations.grants import tell_of_access
from app.reminders.operations.payments import tell_of_payments
from app.reminders.operations.rules import (
    change_product_reminders,
    change_rules,
    create_product_reminders,
    delete_product_reminders,
)
from app.reminders.operations.tasks import escalate_tasks, tell_of_tasks

__all__ = [
    "answer_items",
    "answer_task",
    "change_product_reminders",
    "change_rules",
    "create_product_reminders",
    "delete_product_reminders",
    "escalate_tasks",
    "task_to_answer",
    "tell_of_access",
    "tell_of_payments",
    "tell_of_tasks",
    "withdraw_items",
    "withdraw_task",
]
