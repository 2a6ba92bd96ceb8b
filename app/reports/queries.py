"""The figures of the start page."""

from sqlalchemy import func, select

from app.directory.models import Person
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
    }
    row = db.session.execute(select(*(query.scalar_subquery().label(name) for name, query in counts.items())))
    return dict(row.mappings().one())


def next_tasks(viewer: Viewer, size: int = 8) -> list[WorkflowTask]:
    """The viewer's newest open tasks."""
    return page_of(tasks_matching(Scope.MINE, viewer, status="open"), 1, size)[0]
