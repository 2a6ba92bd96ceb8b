"""Joiners and leavers: announced, planned and worked on by the operations that real ones run through."""

import random
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, select, update

from app.demo_company.company import address, data, is_cast, is_head, open_account, seeded
from app.directory import queries as directory
from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.viewer import Viewer, viewing_as
from app.inbox import operations as inbox
from app.inbox.models import TaskAction, TaskComment, TaskStatus, WorkflowTask
from app.inventory import queries as inventory
from app.inventory.models import AccessGrant, GrantSource
from app.lifecycle import operations as lifecycle
from app.lifecycle.models import EventKind, HrEvent, LifecycleCase
from app.notifications.models import Notification

PLANNING = "app.lifecycle.jobs.plan_case"
REMARKS: dict[str, dict[str, tuple[str, ...]]] = {
    EventKind.ONBOARDING: {
        TaskStatus.COMPLETED: (
            "Added to the department's group.",
            "Seat assigned, one of the spares.",
            "Invitation accepted this morning.",
            "",
        ),
        TaskStatus.IN_PROGRESS: (
            "All seats are taken; two more are on order.",
            "Asked their manager which projects they need.",
        ),
        TaskStatus.INVITED: ("The vendor's invitation is out; it lapses after seven days.",),
        TaskStatus.CANCELLED: ("Not needed: the team shares one licence. Agreed with the manager.",),
    },
    EventKind.OFFBOARDING: {
        TaskStatus.COMPLETED: ("Seat released.", "Removed, and open sessions ended.", ""),
        TaskStatus.IN_PROGRESS: (
            "Files go to the manager first; access ends after that.",
            "Waiting for the last hand-over meeting.",
        ),
    },
}


def tell(people: list[Person]) -> None:
    """Every case of cases.toml, in the order in which HR said so."""
    stories = [(EventKind.ONBOARDING, one) for one in data("cases")["joiner"]]
    stories += [(EventKind.OFFBOARDING, one) for one in data("cases")["leaver"]]
    chance = seeded("cases")
    taken: set[str | None] = set()
    for number, (kind, story) in enumerate(sorted(stories, key=lambda one: one[1]["said"]), start=1):
        employee = _whom(kind, story, people, taken)
        taken.add(employee.email)
        event = _announce(kind, story, employee, f"demo-{number:03}")
        case = db.session.get_one(LifecycleCase, event.case_id)
        _work(case, story["work"], chance)
        _set_back(event, case, story["said"])


def _whom(
    kind: EventKind, story: dict[str, Any], people: list[Person], taken: set[str | None]
) -> lifecycle.Employee:
    if "name" in story:
        known = {"name": story["name"], "email": address(story["name"])}
    else:
        person = next(one for one in people if one.email not in taken and _fits(one, story))
        known = {"name": person.name, "email": person.email, "external_id": person.external_id}
    if kind is EventKind.ONBOARDING:
        known |= {"department": story["department"], "position": story["position"]}
    return lifecycle.Employee(**known)


def _fits(person: Person, story: dict[str, Any]) -> bool:
    """Whether a story can be about somebody of the company."""
    if "former" in story:
        return not person.active and person.department_name == story["former"]
    if not person.active or is_cast(person) or is_head(person):
        return False
    if "alone" in story:
        return any(
            one.service and one.service.name == story["alone"] for one in inventory.assignments_of(person)
        )
    return (person.department_name, person.position) == (story["department"], story["position"])


def _announce(
    kind: EventKind, story: dict[str, Any], employee: lifecycle.Employee, delivery_id: str
) -> HrEvent:
    """What the webhook and the worker would do; the promise to the worker is kept here."""
    announcement = lifecycle.Announcement(
        kind=kind,
        employee=employee,
        on=clock.today() + timedelta(days=story["day"]),
        delivery_id=delivery_id,
    )
    key, _ = lifecycle.receive_event(announcement)
    lifecycle.plan_case(key)
    promise = select(OutboxMessage).where(OutboxMessage.job == PLANNING, OutboxMessage.arguments == [key])
    message = db.session.scalars(promise).one()
    message.state, message.finished_at = OutboxState.DONE, clock.now()
    db.session.flush()
    return db.session.get_one(HrEvent, key)


def _work(case: LifecycleCase, statuses: list[str], chance: random.Random) -> None:
    """Each assignee sets the status of their task, and most say why."""
    for task, status in zip(list(case.tasks), statuses, strict=False):
        if status == TaskStatus.PENDING:
            continue
        remark = chance.choice(REMARKS[EventKind(case.kind)][TaskStatus(status)])
        with viewing_as(_eyes(task.assignee)):
            inbox.work_on(task, status=status, comment=remark)


def _eyes(person: Person) -> Viewer:
    account = open_account(person)
    return Viewer(person.id, account.id, person.name, person.email, directory.role_names(account))


def _set_back(event: HrEvent, case: LifecycleCase, days: int) -> None:
    """Let the case look as old as it is told to be; the audit log keeps the true time."""
    if not days:
        return
    said = datetime.combine(clock.today() + timedelta(days=days), time(9, 12), clock.zone())
    latest = said
    for place, task in enumerate(case.tasks):
        worked = said + timedelta(days=place % -days, hours=5)
        latest = max(latest, _set_task_back(task, case.effective_on, said, worked))
    closed = latest if case.closed_at else None
    _rewrite(LifecycleCase, LifecycleCase.id == case.id, opened_at=said, closed_at=closed)
    _rewrite(HrEvent, HrEvent.id == event.id, received_at=said, planned_at=said, settled_at=closed)
    db.session.expire_all()


def _set_task_back(task: WorkflowTask, effective_on: date, said: datetime, worked: datetime) -> datetime:
    """The task came when HR said so, and what was done came some days later; says when the last thing was."""
    touched = said if task.status == TaskStatus.PENDING else worked
    fields = {"created_at": said, "updated_at": touched, "due_on": max(effective_on, said.date())}
    if task.completed_at:
        fields["completed_at"] = worked
    _rewrite(WorkflowTask, WorkflowTask.id == task.id, **fields)
    _set_grant_back(task, worked)
    _rewrite(TaskComment, TaskComment.task_id == task.id, created_at=worked)
    read = None if touched == said else worked
    _rewrite(Notification, Notification.href == f"/inbox/{task.id}", created_at=said, read_at=read)
    return touched


def _set_grant_back(task: WorkflowTask, worked: datetime) -> None:
    """Access that a completed task gave or took began or ended with it."""
    if task.status != TaskStatus.COMPLETED:
        return
    if task.action == TaskAction.GRANT_ACCESS:
        given = (AccessGrant.person_id == task.target_id) & (AccessGrant.product_id == task.product_id)
        given &= AccessGrant.source == GrantSource.TASK
        _rewrite(AccessGrant, given, valid_from=worked.date(), created_at=worked)
    elif task.action == TaskAction.REVOKE_ACCESS:
        taken = AccessGrant.id == task.grant_id
        _rewrite(AccessGrant, taken, valid_until=worked.date(), ended_at=worked)


def _rewrite(model: type[Any], which: ColumnElement[bool], **fields: Any) -> None:
    """Change rows behind the audit log's back: times that nobody set by hand are no news."""
    db.session.execute(update(model.__table__).where(which).values(**fields))
