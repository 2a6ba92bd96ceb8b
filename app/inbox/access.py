"""A task is seen by whoever has to do it and by the administrators of its service; it is changed by the former."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer, current_viewer
from app.inbox.absence_models import Absence
from app.inbox.models import TaskComment, TaskEscalation, WorkflowTask
from app.inventory.access import services_of

tasks = WorkflowTask.__table__


def _tasks_of(viewer: Viewer) -> Select[Any]:
    """Keys of the tasks that somebody sees."""
    return select(tasks.c.id).where(
        or_(tasks.c.assignee_id == viewer.id, tasks.c.service_id.in_(services_of(viewer)))
    )


@row_rule(WorkflowTask)
def visible_tasks(viewer: Viewer) -> ColumnElement[bool]:
    """Their own, and their team's: the tasks about services that they administer."""
    return or_(WorkflowTask.assignee_id == viewer.id, WorkflowTask.service_id.in_(services_of(viewer)))


@row_rule(TaskComment)
def visible_comments(viewer: Viewer) -> ColumnElement[bool]:
    """The comments of the tasks they see."""
    return TaskComment.task_id.in_(_tasks_of(viewer))


@row_rule(TaskEscalation)
def visible_escalations(viewer: Viewer) -> ColumnElement[bool]:
    """An escalation is seen with its task."""
    return TaskEscalation.task_id.in_(_tasks_of(viewer))


@row_rule(Absence)
def visible_absences(viewer: Viewer) -> ColumnElement[bool]:
    """One's own, and those that one stands in for."""
    return or_(Absence.person_id == viewer.id, Absence.substitute_id == viewer.id)


def may_change(task: WorkflowTask) -> bool:
    """Whether the viewer may set its status and comment: the assignee and Admins."""
    viewer = current_viewer()
    return viewer is None or viewer.is_admin or task.assignee_id == viewer.id
