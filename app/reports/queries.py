"""The figures of the start page."""

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.viewer import Viewer
from app.inbox.models import WorkflowTask
from app.inbox.queries import IS_OPEN, Scope, page_of, tasks_matching
from app.inventory.models import AccessGrant, Product, Service
from app.lifecycle.models import LifecycleCase


def figures(viewer: Viewer) -> dict[str, int]:
    """How much of everything the viewer sees, in one statement."""
    counts = {
        "services": select(func.count(Service.id)),
        "products": select(func.count(Product.id)),
        "people": select(func.count(Person.id)).where(Person.active),
        "grants": select(func.count(AccessGrant.id)).where(AccessGrant.ended_at.is_(None)),
        "cases": select(func.count(LifecycleCase.id)).where(LifecycleCase.closed_at.is_(None)),
        "my_tasks": select(func.count(WorkflowTask.id)).where(IS_OPEN, WorkflowTask.assignee_id == viewer.id),
        "all_tasks": select(func.count(WorkflowTask.id)).where(IS_OPEN),
        "overdue": select(func.count(WorkflowTask.id)).where(IS_OPEN, WorkflowTask.due_on < clock.today()),
    }
    row = db.session.execute(select(*(query.scalar_subquery().label(name) for name, query in counts.items())))
    return dict(row.mappings().one())


def next_tasks(viewer: Viewer, size: int = 8) -> list[WorkflowTask]:
    """The viewer's newest open tasks."""
    return page_of(tasks_matching(Scope.MINE, viewer, status="open"), 1, size)[0]


def next_cases(size: int = 8) -> list[tuple[LifecycleCase, int, int]]:
    """Open cases, the nearest date first; each with how many of its tasks are finished, and how many it has."""
    query = (
        select(LifecycleCase)
        .where(LifecycleCase.closed_at.is_(None))
        .options(joinedload(LifecycleCase.person), selectinload(LifecycleCase.tasks))
        .order_by(LifecycleCase.effective_on, LifecycleCase.id)
        .limit(size)
    )
    return [
        (case, sum(task.is_finished for task in case.tasks), len(case.tasks))
        for case in db.session.scalars(query)
    ]
