"""The verbs of the lifecycle: receive what HR says, plan the case, carry out a last day, close what is done."""

from app.lifecycle.operations.cases import (
    close_if_done,
    depart,
    hand_on,
    leave_on_last_days,
    plan_case,
    reopen_case,
)
from app.lifecycle.operations.due import ask_back_expired_access, raise_due_cases
from app.lifecycle.operations.receiving import Announcement, Employee, receive_event
from app.lifecycle.operations.templates import change_template, create_template, delete_template

__all__ = [
    "Announcement",
    "Employee",
    "ask_back_expired_access",
    "change_template",
    "close_if_done",
    "create_template",
    "delete_template",
    "depart",
    "hand_on",
    "leave_on_last_days",
    "plan_case",
    "raise_due_cases",
    "receive_event",
    "reopen_case",
]
