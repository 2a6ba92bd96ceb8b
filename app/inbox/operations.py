"""The verbs of the inbox: a task is opened once, worked on by its assignee, and finished once."""

from typing import Any

from sqlalchemy import select

from app.directory.models import Person
from app.foundation import clock, events
from app.foundation.actor import current_actor
from app.foundation.database import db
from app.foundation.errors import Conflict, Forbidden, InvalidInput
from app.foundation.references import visible
from app.foundation.scoping import is_scoped, unscoped
from app.foundation.viewer import current_viewer
from app.inbox import standing_in
from app.inbox.access import may_change
from app.inbox.events import TaskCompleted, TaskFinished, TaskOpened, TaskReassigned, TaskReopened
from app.inbox.models import FINISHED, TaskComment, TaskStatus, WorkflowTask
from app.inventory import access as inventory_access
from app.notifications import operations as notifications

LONGEST_COMMENT = 5_000


def open_task(*, case_id: int | None, key: str, assignee: Person, **columns: Any) -> WorkflowTask | None:
    """Open a task and tell its assignee, or who stands in; None if the case, or without one the portal, has a task of this key already."""
    with unscoped():
        same_case = WorkflowTask.case_id.is_not_distinct_from(case_id)
        known = select(WorkflowTask.id).where(same_case, WorkflowTask.key == key)
        if db.session.scalar(known) is not None:
            return None
        task = WorkflowTask(case_id=case_id, key=key, **columns)
        _hand(task, assignee)
        db.session.add(task)
        db.session.flush()
        _tell_assignee(task)
    events.publish(TaskOpened(task))
    return task


def work_on(task: WorkflowTask, *, status: str | None = None, comment: str | None = None) -> WorkflowTask:
    """Set a task's status, add a comment, or both.

    Forbidden unless the viewer is the assignee or an Admin; InvalidInput for an unknown status or for nothing at
    all; Conflict when anybody but an Admin reopens a finished task.
    """
    if not may_change(task):
        raise Forbidden("Only its assignee or an Admin can work on this task.")
    if status is None and not (comment and comment.strip()):
        raise InvalidInput(comment="Write a comment or choose a status.")
    if status is not None and status not in set(TaskStatus):
        raise InvalidInput(status=f"Choose one of: {', '.join(TaskStatus)}.")
    db.session.refresh(task, with_for_update={"of": WorkflowTask})
    if comment and comment.strip():
        add_comment(task, comment)
    if status is not None and status != task.status:
        _move(task, TaskStatus(status))
    db.session.flush()
    return task


def _move(task: WorkflowTask, status: TaskStatus) -> None:
    was_finished = task.is_finished
    if was_finished:
        viewer = current_viewer()
        if is_scoped() and not (viewer and viewer.is_admin):
            raise Conflict("This task is finished. Only an Admin can reopen it.")
    task.status = status
    finished = status in FINISHED
    task.completed_at = clock.now() if finished else None
    task.completed_by_id = current_actor().id if finished else None
    db.session.flush()
    if status is TaskStatus.COMPLETED:
        events.publish(TaskCompleted(task))
    if finished:
        events.publish(TaskFinished(task))
    elif was_finished:
        events.publish(TaskReopened(task))


def add_comment(task: WorkflowTask, content: str) -> TaskComment:
    """Append a comment in the name of whoever is acting."""
    content = content.strip()
    if len(content) > LONGEST_COMMENT:
        raise InvalidInput(comment=f"A comment has at most {LONGEST_COMMENT:,} characters.")
    actor = current_actor()
    comment = TaskComment(task=task, author_id=actor.id, author_name=actor.name, content=content)
    with unscoped():
        db.session.add(comment)
        db.session.flush()
    return comment


def cancel(task: WorkflowTask, reason: str) -> None:
    """Cancel an open task because what it was for is gone, and say so in a comment."""
    if not task.is_finished:
        add_comment(task, reason)
        _move(task, TaskStatus.CANCELLED)


def raise_priority(task: WorkflowTask, priority: str) -> None:
    """Let a task come sooner."""
    task.priority = priority
    db.session.flush()


def reassign(task: WorkflowTask, person_id: int) -> WorkflowTask:
    """Give an open task to somebody else and tell them: Admins, and the administrators of its service."""
    if not may_reassign(task):
        raise Forbidden(
            "Only an Admin or an administrator of the service can give this task to somebody else."
        )
    if task.is_finished:
        raise Conflict("This task is finished.")
    person = visible(Person, person_id, "assignee_id")
    if not person.active:
        raise InvalidInput(assignee_id=f"{person.name} has left the company.")
    give_to(task, person)
    return task


def may_reassign(task: WorkflowTask) -> bool:
    """Whether the viewer may give the task to somebody else."""
    try:
        inventory_access.must_administer(task.service_id)
    except Forbidden:
        return False
    return True


def give_to(task: WorkflowTask, person: Person) -> None:
    """Make somebody the assignee, or who stands in for them, and tell whoever it is."""
    before = task.assignee_id
    with unscoped():
        _hand(task, person)
        db.session.flush()
        if task.assignee_id != before:
            _tell_assignee(task)
            events.publish(TaskReassigned(task))


def _hand(task: WorkflowTask, person: Person) -> None:
    """The one place where a task gets its assignee: nobody who is away, and never whom it is about in their place."""
    service_id = task.service.id if task.service else task.service_id
    target_id = task.target.id if task.target else task.target_id
    doer = standing_in.instead_of(person, service_id=service_id, but=(target_id,) if target_id else ())
    task.assignee = doer
    task.on_behalf_of = None if doer is person else person


def _tell_assignee(task: WorkflowTask) -> None:
    absent = task.on_behalf_of
    body = f"For {absent.name}, who is away. {task.description or ''}".strip() if absent else task.description
    notifications.notify(task.assignee, task.title, body=body, href=f"/inbox/{task.id}")
