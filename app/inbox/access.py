"""A task is seen by whoever has to do it and by the administrators of its service; it is changed by the former."""

from sqlalchemy import ColumnElement, or_, select

from app.foundation.scoping import row_rule
from app.foundation.viewer import Viewer, current_viewer
from app.inbox.models import TaskComment, WorkflowTask
from app.inventory.access import services_of


@row_rule(WorkflowTask)
def visible_tasks(viewer: Viewer) -> ColumnElement[bool]:
    """Their own, and their team's: the tasks about services that they administer."""
    return or_(WorkflowTask.assignee_id == viewer.id, WorkflowTask.service_id.in_(services_of(viewer)))


@row_rule(TaskComment)
def visible_comments(viewer: Viewer) -> ColumnElement[bool]:
    """The comments of the tasks they see."""
    tasks = WorkflowTask.__table__
    return TaskComment.task_id.in_(
        select(tasks.c.id).where(
            or_(tasks.c.assignee_id == viewer.id, tasks.c.service_id.in_(services_of(viewer)))
        )
    )


def may_change(task: WorkflowTask) -> bool:
    """Whether the viewer may set its status and comment: the assignee and Admins."""
    viewer = current_viewer()
    return viewer is None or viewer.is_admin or task.assignee_id == viewer.id
