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
from app.foundation.published import text_id
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


def task_json(row: Any, comments: Sequence[Any]) -> dict[str, Any]:
    """A Task of the contract, in both spellings that clients use, from `TASK_COLUMNS`."""
    (
        key, type_, action, status, title, description, details, priority, due_on, assignee_id, target_id, service_id,
        product_id, completed_at, completed_by_id, created_at, updated_at,
    ) = row  # fmt: skip
    assignee, target = str(assignee_id), text_id(target_id)
    return {
        "id": str(key),
        "type": type_,
        "status": status,
        "title": title,
        "description": description,
        "details": {**details, "action": action},
        "priority": priority,
        "due_date": due_on,
        "dueDate": due_on,
        "assignee_user_id": assignee,
        "assignedTo": assignee,
        "target_user_id": target,
        "targetUserId": target,
        "serviceId": text_id(service_id),
        "productId": text_id(product_id),
        "comments": [comment_json(comment) for comment in comments],
        "completedAt": completed_at,
        "completedBy": text_id(completed_by_id),
        "created_at": created_at,
        "createdAt": created_at,
        "updated_at": updated_at,
        "updatedAt": updated_at,
    }


COMMENT_COLUMNS = (TaskComment.id, TaskComment.author_id, TaskComment.content, TaskComment.created_at)


def comment_json(row: Any) -> dict[str, Any]:
    """A comment of a Task of the contract, from `COMMENT_COLUMNS`."""
    key, author_id, content, created_at = row
    return {
        "id": str(key),
        "userId": text_id(author_id),
        "content": content,
        "createdAt": created_at,
    }
