"""What becomes due without anybody doing anything: access past its last day, cases whose day has come."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import aliased, joinedload

from app.foundation import clock
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.inbox import operations as inbox
from app.inbox.models import FINISHED, Priority, TaskAction, TaskType, WorkflowTask
from app.inbox.queries import IS_OPEN
from app.inventory.models import AccessGrant, Product
from app.lifecycle import queries
from app.lifecycle.models import LifecycleCase


def ask_back_expired_access() -> tuple[int, int]:
    """Have access that is past its last day taken away, by whoever administers the product.

    A vendor's door is not ours to shut, so each access makes a task, and ends when that is completed. Says how many
    tasks were opened, and how many withdrawn because the access was extended or has ended meanwhile.
    """
    with unscoped(), acting_as("PortalOps"):
        needless = _needless()
        for task, grant in needless:
            _withdraw(task, grant)
        opened = sum(_ask_back(grant) is not None for grant in _expired())
    return opened, len(needless)


def raise_due_cases() -> int:
    """Make what is still open of a case urgent on the first or the last day itself; says how many tasks.

    A task that is opened on that day or later is urgent from the start.
    """
    with unscoped(), acting_as("PortalOps"):
        query = (
            select(WorkflowTask)
            .join(LifecycleCase, LifecycleCase.id == WorkflowTask.case_id)
            .where(LifecycleCase.closed_at.is_(None), LifecycleCase.effective_on <= clock.today())
            .where(IS_OPEN, WorkflowTask.priority == Priority.NORMAL)
            .with_for_update(of=WorkflowTask)
        )
        tasks = list(db.session.scalars(query))
        for task in tasks:
            inbox.raise_priority(task, Priority.HIGH)
        return len(tasks)


def _key(grant: AccessGrant) -> str:
    return f"expired:{grant.id}:{grant.valid_until}"


def _expired() -> Sequence[AccessGrant]:
    """Access past its last day that nobody was asked to take away: not for this day, and not by a leaver's case."""
    task = aliased(WorkflowTask)
    asked = select(task.id).where(
        task.grant_id == AccessGrant.id,
        task.status.not_in([status.value for status in FINISHED])
        | (task.key == func.concat("expired:", AccessGrant.id, ":", AccessGrant.valid_until)),
    )
    query = (
        select(AccessGrant)
        .where(AccessGrant.ended_at.is_(None), AccessGrant.valid_until < clock.today(), ~asked.exists())
        .options(
            joinedload(AccessGrant.person),
            joinedload(AccessGrant.product).joinedload(Product.service),
        )
        .order_by(AccessGrant.id)
    )
    return db.session.scalars(query).all()


def _ask_back(grant: AccessGrant) -> WorkflowTask | None:
    person, product = grant.person, grant.product
    return inbox.open_task(
        case_id=None,
        key=_key(grant),
        assignee=queries.responsible_for(product, but=person),
        title=f"Remove {person.name}'s access to {product.name}",
        description=f"It was given until {grant.valid_until:%d %B %Y}. Remove it in {product.name} "
        f"({product.service.name}), then complete this task. If {person.name} still needs it, change the last day of "
        "the access instead, and this task goes away by itself.",
        type=TaskType.ACCESS,
        action=TaskAction.REVOKE_ACCESS,
        priority=Priority.HIGH,
        target=person,
        product=product,
        service=product.service,
        grant_id=grant.id,
        due_on=clock.today(),
    )


def _needless() -> Sequence[tuple[WorkflowTask, AccessGrant]]:
    """Open tasks about access that has ended, or that has another last day by now."""
    query = (
        select(WorkflowTask, AccessGrant)
        .join(AccessGrant, AccessGrant.id == WorkflowTask.grant_id)
        .where(IS_OPEN, WorkflowTask.type == TaskType.ACCESS)
        .with_for_update(of=WorkflowTask)
    )
    found = db.session.execute(query).all()
    return [(task, grant) for task, grant in found if grant.ended_at or task.key != _key(grant)]


def _withdraw(task: WorkflowTask, grant: AccessGrant) -> None:
    if grant.ended_at:
        why = "The access has ended already."
    elif grant.valid_until:
        why = f"The access lasts until {grant.valid_until:%d %B %Y} now."
    else:
        why = "The access has no last day any more."
    inbox.cancel(task, why)
