"""Reads of the inbox."""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app.directory.models import Person
from app.foundation import prepared
from app.foundation.database import among, db
from app.foundation.scoping import unscoped
from app.foundation.viewer import Viewer
from app.inbox.models import FINISHED, TaskComment, WorkflowTask
from app.inventory.access import services_of

IS_OPEN = WorkflowTask.status.not_in([status.value for status in FINISHED])


class Scope(StrEnum):
    """Whose tasks a page of the inbox shows."""

    MINE = "mine"
    TEAM = "team"
    ALL = "all"


def in_scope(scope: Scope, viewer: Viewer) -> ColumnElement[bool] | None:
    """Mine: assigned to me. Team's: of the services I administer, whoever has them. All: every one I may see."""
    if scope is Scope.MINE:
        return WorkflowTask.assignee_id == viewer.id
    if scope is Scope.TEAM:
        return WorkflowTask.service_id.in_(services_of(viewer))
    return None


@cache
def tasks(*columns: Any) -> Select[Any]:
    """Tasks newest first, or these columns of them."""
    return select(*(columns or (WorkflowTask,))).order_by(WorkflowTask.id.desc())


@lru_cache(maxsize=256)
def tasks_matching(
    scope: Scope,
    viewer: Viewer,
    *columns: Any,
    type_: str | None = None,
    status: str | None = None,
    person: str | None = None,
) -> Select[Any]:
    """Tasks newest first, or these columns of them. `status` may be `open`; `person` is part of the name or e-mail of whom the task is about."""
    query = tasks(*columns)
    rule = in_scope(scope, viewer)
    if rule is not None:
        query = query.where(rule)
    if type_:
        query = query.where(WorkflowTask.type == type_)
    if status == "open":
        query = query.where(IS_OPEN)
    elif status:
        query = query.where(WorkflowTask.status == status)
    if person:
        like = f"%{person.replace('%', '').replace('_', '')}%"
        known = select(Person.id).where(or_(Person.name.ilike(like), Person.email.ilike(like)))
        query = query.where(or_(WorkflowTask.target_id.in_(known), WorkflowTask.title.ilike(like)))
    return query


def page_of(query: Select[WorkflowTask], page: int, size: int) -> tuple[list[WorkflowTask], int]:
    """One page of tasks with what a list shows of them, and how many there are in all. Pages count from 1."""
    total = db.session.scalar(query.order_by(None).with_only_columns(func.count(WorkflowTask.id))) or 0
    shown = (
        joinedload(WorkflowTask.assignee),
        joinedload(WorkflowTask.target),
        joinedload(WorkflowTask.product),
    )
    rows = db.session.scalars(query.options(*shown).limit(size).offset((page - 1) * size))
    return list(rows), total


# How many tasks wait for the person :person_id.
OPEN_COUNT = select(func.count()).where(WorkflowTask.assignee_id == bindparam("person_id"), IS_OPEN)


def open_counts(viewer: Viewer) -> dict[str, int]:
    """Open tasks by scope, as the filter of the inbox shows them."""
    rules = {scope.value: in_scope(scope, viewer) for scope in Scope}
    counted = [
        func.count(WorkflowTask.id).filter(rule) if rule is not None else func.count(WorkflowTask.id)
        for rule in rules.values()
    ]
    row = db.session.execute(select(*counted).select_from(WorkflowTask).where(IS_OPEN)).one()
    return dict(zip(rules, row, strict=True))


def open_tasks_of(person: Person) -> list[WorkflowTask]:
    """The tasks that wait for somebody."""
    with unscoped():
        return list(
            db.session.scalars(select(WorkflowTask).where(WorkflowTask.assignee_id == person.id, IS_OPEN))
        )


def with_story(query: Select[WorkflowTask]) -> Select[WorkflowTask]:
    """Load what the page of one task shows."""
    return query.options(
        joinedload(WorkflowTask.assignee),
        joinedload(WorkflowTask.target),
        joinedload(WorkflowTask.product),
        joinedload(WorkflowTask.service),
        joinedload(WorkflowTask.completed_by),
        joinedload(WorkflowTask.on_behalf_of),
        selectinload(WorkflowTask.comments),
        selectinload(WorkflowTask.escalations),
    )


def comments_by_task(task_ids: Sequence[int], *columns: Any) -> dict[int, list[Any]]:
    """These columns of what was said about these tasks, as far as the viewer may see it; oldest first."""
    found: dict[int, list[Any]] = defaultdict(list)
    for task_id, *row in prepared.rows(_comments_on(*columns), tasks=list(task_ids)):
        found[task_id].append(row)
    return found


@cache
def _comments_on(*columns: Any) -> Select[Any]:
    query = select(TaskComment.task_id, *columns).where(among(TaskComment.task_id, "tasks"))
    return query.order_by(TaskComment.id)
