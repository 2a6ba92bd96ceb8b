"""What tests of leavers look at, and how somebody comes to leave."""

from datetime import date

from sqlalchemy import select

from app.directory.models import Person
from app.foundation.database import db
from app.inbox.models import TaskComment, WorkflowTask

JANE = {"name": "Jane Doe", "email": "jane@example.com", "department": "Engineering"}
FIRST_ADMIN = "Portal Administrator"


def person(name: str) -> Person:
    db.session.expire_all()
    return db.session.scalars(select(Person).where(Person.name == name)).one()


def tasks_about(name: str) -> list[WorkflowTask]:
    query = select(WorkflowTask).where(WorkflowTask.target_id == person(name).id)
    return list(db.session.scalars(query.order_by(WorkflowTask.id)))


def task_with(key: int) -> WorkflowTask:
    """As it stands now: whatever was loaded before a job ran is stale."""
    db.session.expire_all()
    return db.session.get_one(WorkflowTask, key)


def open_tasks_about(name: str) -> dict[str, str]:
    """Title -> assignee."""
    return {task.title: task.assignee.name for task in tasks_about(name) if not task.is_finished}


def leaves(hr, run_jobs, name: str, on: date | None = None):
    day = {"lastDay": on.isoformat()} if on else {}
    answer = hr("offboarding", email=person(name).email, **day)
    run_jobs()
    db.session.expire_all()
    return answer


def work_on(visitor, task: WorkflowTask, status: str, **more):
    answer = visitor.api("PUT", f"tasks/{task.id}", {"status": status, **more})
    db.session.expire_all()
    return answer


def comments_of(task: WorkflowTask) -> list[str]:
    query = select(TaskComment.content).where(TaskComment.task_id == task.id).order_by(TaskComment.id)
    return list(db.session.scalars(query))
