"""The published API of the inbox: /inbox/tasks."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from flask_appbuilder.api import expose

from app.foundation.api import rendered
from app.foundation.errors import InvalidInput, Unauthorized
from app.foundation.openapi.describing import PAGED, Many, asks, describes
from app.foundation.published import (
    PublishedApi,
    bare,
    done,
    found,
    found_row,
    needs,
    read_from,
    tagged,
    text_asked,
    unchanged,
)
from app.foundation.schemas import body_of_request, load
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.inbox import operations as inbox
from app.inbox import queries
from app.inbox.models import TaskStatus, WorkflowTask
from app.inbox.schemas import COMMENT_COLUMNS, TASK, TASK_COLUMNS, TaskWorkSchema, task_json


class InboxApi(PublishedApi):
    """One's own tasks."""

    path = "/inbox/tasks"

    @expose("", methods=["GET"])
    @describes(
        "listTasks",
        "One's own tasks, newest first",
        answers={200: Many(TASK)},
        takes=(asks("status", "Only these.", type="string", enum=[*TaskStatus]), *PAGED),
    )
    @rendered
    @needs("can_read", "Task")
    def listed(self) -> Response:
        """Newest first, of one status if one is asked for."""
        viewer, status = current_viewer(), text_asked("status")
        if viewer is None:
            raise Unauthorized("Sign in first.")
        if status and status not in set(TaskStatus):
            raise InvalidInput(status=f"Choose one of: {', '.join(TaskStatus)}.")
        mine = queries.tasks_matching(queries.Scope.MINE, viewer, *TASK_COLUMNS, status=status or None)
        return bare(mine, _with_comments)

    @expose("/<key>", methods=["GET"])
    @describes("getTask", "One task", answers={200: TASK})
    @rendered
    @needs("can_read", "Task")
    def one(self, key: str) -> Response:
        """A task that one may see."""
        return tagged(_with_comments([found_row(queries.tasks(*TASK_COLUMNS), WorkflowTask, key)])[0])

    @expose("/<key>", methods=["PUT"])
    @describes(
        "workOnTask",
        "Set a task's status, comment on it, or both",
        answers={204: None},
        body=TaskWorkSchema(),
        example={"status": "completed", "comment": "Done."},
        refuses=(409, 412),
    )
    @rendered
    @needs("can_edit", "Task")
    def work(self, key: str) -> Response:
        """A status, a comment, or both."""
        task = found(WorkflowTask, key)
        sent = load(TaskWorkSchema(), body_of_request())
        with transaction():
            unchanged(task, _shown)
            inbox.work_on(task, **sent)
        return done()


def _with_comments(tasks: Sequence[Any]) -> list[dict[str, Any]]:
    comments = queries.comments_by_task([task[0] for task in tasks], *COMMENT_COLUMNS)
    return [task_json(task, comments.get(task[0], [])) for task in tasks]


def _shown(task: WorkflowTask) -> dict[str, Any]:
    return _with_comments([read_from(task, TASK_COLUMNS)])[0]
