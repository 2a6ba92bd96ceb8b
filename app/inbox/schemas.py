"""Shapes of work on a task in requests."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, validate

from app.foundation.openapi.describing import (
    ID,
    MAYBE_DATE,
    MAYBE_ID,
    MAYBE_MOMENT,
    MAYBE_TEXT,
    MOMENT,
    TEXT,
    Shape,
)
from app.foundation.published import moment, text_id
from app.foundation.schemas import PortalSchema, Text
from app.inbox.models import TaskComment, TaskStatus, WorkflowTask


class TaskWorkSchema(PortalSchema):
    """A new status, a comment, or both."""

    status = fields.String(validate=validate.OneOf([status.value for status in TaskStatus]))
    comment = Text(5000, allow_none=True)


_COMMENT = Shape("Comment", {"id": ID, "userId": MAYBE_ID, "content": TEXT, "createdAt": MOMENT})
TASK = Shape(
    "Task",
    {
        "id": ID,
        "type": {**TEXT, "examples": ["onboarding"]},
        "status": {"type": "string", "enum": [status.value for status in TaskStatus]},
        "title": TEXT,
        "description": MAYBE_TEXT,
        "details": {"type": "object", "example": {"action": "grant"}},
        "priority": {**TEXT, "examples": ["normal"]},
        "due_date": MAYBE_DATE,
        "dueDate": MAYBE_DATE,
        "assignee_user_id": ID,
        "assignedTo": ID,
        "target_user_id": MAYBE_ID,
        "targetUserId": MAYBE_ID,
        "serviceId": MAYBE_ID,
        "productId": MAYBE_ID,
        "comments": {"type": "array", "items": _COMMENT},
        "completedAt": MAYBE_MOMENT,
        "completedBy": MAYBE_ID,
        "created_at": MOMENT,
        "createdAt": MOMENT,
        "updated_at": MOMENT,
        "updatedAt": MOMENT,
    },
)


TASK_COLUMNS = (
    WorkflowTask.id,
    WorkflowTask.type,
    WorkflowTask.action,
    WorkflowTask.status,
    WorkflowTask.title,
    WorkflowTask.description,
    WorkflowTask.details,
    WorkflowTask.priority,
    WorkflowTask.due_on,
    WorkflowTask.assignee_id,
    WorkflowTask.target_id,
    WorkflowTask.service_id,
    WorkflowTask.product_id,
    WorkflowTask.completed_at,
    WorkflowTask.completed_by_id,
    WorkflowTask.created_at,
    WorkflowTask.updated_at,
)


def task_json(task: Any, comments: Sequence[TaskComment]) -> dict[str, Any]:
    """A Task of the contract, in both spellings that clients use, from a row of `TASK_COLUMNS` or an entity."""
    created, updated = moment(task.created_at), moment(task.updated_at)
    due = task.due_on.isoformat() if task.due_on else None
    return {
        "id": str(task.id),
        "type": task.type,
        "status": task.status,
        "title": task.title,
        "description": task.description,
        "details": {**task.details, "action": task.action},
        "priority": task.priority,
        "due_date": due,
        "dueDate": due,
        "assignee_user_id": str(task.assignee_id),
        "assignedTo": str(task.assignee_id),
        "target_user_id": text_id(task.target_id),
        "targetUserId": text_id(task.target_id),
        "serviceId": text_id(task.service_id),
        "productId": text_id(task.product_id),
        "comments": [comment_json(comment) for comment in comments],
        "completedAt": moment(task.completed_at),
        "completedBy": text_id(task.completed_by_id),
        "created_at": created,
        "createdAt": created,
        "updated_at": updated,
        "updatedAt": updated,
    }


def comment_json(comment: TaskComment) -> dict[str, Any]:
    """A comment of a Task of the contract."""
    return {
        "id": str(comment.id),
        "userId": text_id(comment.author_id),
        "content": comment.content,
        "createdAt": moment(comment.created_at),
    }
