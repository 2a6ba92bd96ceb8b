"""Cases: planned from an announcement, as often as one likes to the same result, and closed with their last task."""

from contextlib import suppress
from datetime import date

from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Person
from app.foundation import clock, events
from app.foundation.actor import acting_as
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.scoping import unscoped
from app.inbox import operations as inbox
from app.inbox import queries as tasks
from app.inbox.models import Priority, TaskAction, TaskStatus, TaskType, WorkflowTask
from app.inventory import operations as inventory_operations
from app.inventory import queries as inventory
from app.inventory.models import PermissionAssignment, Product
from app.lifecycle import queries
from app.lifecycle.events import CaseClosed, CaseOpened
from app.lifecycle.models import EventKind, HrEvent, LifecycleCase


def plan_case(event_id: int) -> None:
    """Open the case that an announcement asks for, with its tasks. Planning an event again changes nothing."""
    event = db.session.scalar(select(HrEvent).where(HrEvent.id == event_id).with_for_update())
    if event is None or event.planned_at or event.person is None:
        return
    with unscoped(), acting_as(f"HR system ({event.source})", trace=event.request_id):
        event.case = _case_for(event)
        if event.kind == EventKind.OFFBOARDING:
            _plan_leaver(event.case)
        elif not queries.left_since(event):
            _plan_joiner(event.case)
        event.planned_at = clock.now()
        close_if_done(event.case.id)


def _case_for(event: HrEvent) -> LifecycleCase:
    """The person's open case of this kind, moved to the announced date, or a new one."""
    db.session.execute(select(Person.id).where(Person.id == event.person_id).with_for_update())
    said = event.payload.get("date")
    on = date.fromisoformat(said) if said else clock.local(event.received_at).date()
    case = queries.open_case(event.person_id, event.kind)
    if case is None:
        return _open_case(event.kind, event.person, on)
    case.effective_on = on
    db.session.flush()
    return case


def _open_case(kind: str, person: Person | None, on: date | None) -> LifecycleCase:
    case = LifecycleCase(kind=kind, person=person, effective_on=on)
    db.session.add(case)
    db.session.flush()
    events.publish(CaseOpened(case))
    return case


def _open(
    case: LifecycleCase, key: str, assignee: Person, title: str, **columns: object
) -> WorkflowTask | None:
    urgent = columns.pop("priority", None)
    soon = case.effective_on <= clock.today()
    return inbox.open_task(
        case_id=case.id,
        key=key,
        assignee=assignee,
        title=title,
        type=TaskType(case.kind),
        target=case.person,
        due_on=max(case.effective_on, clock.today()),
        priority=urgent or (Priority.HIGH if soon else Priority.NORMAL),
        **columns,
    )


def _plan_joiner(case: LifecycleCase) -> None:
    person = case.person
    needed, fitted = queries.access_needed_by(person)
    held = {grant.product_id for grant in inventory.open_grants_of(person)}
    for product, level in needed.items():
        if product.id not in held:
            _open(
                case,
                f"grant:{product.id}",
                queries.responsible_for(product, but=person),
                f"Give {person.name} access to {product.name}",
                description=f"{_introduce(case)} The access templates ask for {product.name} ({product.service.name})"
                f" as {level}.",
                action=TaskAction.GRANT_ACCESS,
                product=product,
                service=product.service,
                details={"level": level},
            )
    if not fitted or person.department_given:
        _open(
            case,
            "decide",
            queries.an_admin(but=person),
            f"Decide what access {person.name} needs",
            description=f"{_introduce(case)} {_why_undecided(person, fitted=fitted)}",
            action=TaskAction.DECIDE_ACCESS,
        )


def _introduce(case: LifecycleCase) -> str:
    person = case.person
    job = (
        ", ".join(filter(None, (person.position, person.department_name)))
        or "no department or position given"
    )
    return f"{person.name} ({job}) joins on {case.effective_on:%d %B %Y}."


def _why_undecided(person: Person, *, fitted: bool) -> str:
    reasons = []
    if person.department_given:
        reasons.append(
            f"HR named the department “{person.department_given}”, which the directory does not know."
        )
    if not fitted:
        reasons.append("No access template fits.")
    return " ".join(reasons)


def _plan_leaver(case: LifecycleCase) -> None:
    person = case.person
    _withdraw_joining(case)
    for grant in inventory.open_grants_of(person):
        _open_revocation(case, f"revoke:{grant.id}", grant.product, grant.id)
    for sole in inventory.solely_administered_by(person):
        _open_hand_over(case, sole)
    if person.last_day and person.last_day <= clock.today():
        depart(person)
        _keep_last_admin(case)


def _open_hand_over(case: LifecycleCase, sole: PermissionAssignment) -> None:
    """Only an Admin decides who administers a service; a product's next administrator its service's decides too."""
    person, product = case.person, sole.product
    assignee = queries.responsible_for(product, but=person) if product else queries.an_admin(but=person)
    name = product.name if product else str(sole.service)
    _open(
        case,
        f"hand_over:{sole.id}",
        assignee,
        f"Find a new administrator for {name}",
        description=f"{person.name} leaves on {case.effective_on:%d %B %Y} and is the only one who administers "
        f"{name}. Assign somebody else, then complete this task.",
        action=TaskAction.HAND_OVER,
        product=product,
        service=product.service if product else sole.service,
        details={"assignment_id": sole.id},
    )


def _open_revocation(case: LifecycleCase, key: str, product: Product, grant_id: int | None) -> None:
    person = case.person
    _open(
        case,
        key,
        queries.responsible_for(product, but=person),
        f"Remove {person.name}'s access to {product.name}",
        description=f"{person.name} leaves on {case.effective_on:%d %B %Y}. Remove their access to {product.name} "
        f"({product.service.name}), then complete this task.",
        action=TaskAction.REVOKE_ACCESS,
        product=product,
        service=product.service,
        grant_id=grant_id,
    )


def _withdraw_joining(case: LifecycleCase) -> None:
    """Nobody needs to prepare access for a leaver; what was already under way must be taken back."""
    joining = queries.open_case(case.person_id, EventKind.ONBOARDING)
    for task in queries.open_tasks_in(joining) if joining else ():
        if task.product and task.status in {TaskStatus.IN_PROGRESS, TaskStatus.INVITED}:
            _open_revocation(case, f"withdraw:{task.id}", task.product, None)
        inbox.cancel(task, f"{case.person.name} leaves on {case.effective_on:%d %B %Y}.")


def _keep_last_admin(case: LifecycleCase) -> None:
    """The last Admin's sign-in stays open, or nobody could let anybody in again; an urgent task says why.

    The case may have had nothing else to do and be closed since; then it is open again.
    """
    person = case.person
    if person.active and person.can_sign_in:
        opened = _open(
            case,
            "keep_admin",
            queries.an_admin(but=person),
            f"Replace {person.name} as Admin",
            description=f"{person.name} has left but is the last Admin who can sign in, so their sign-in stays open. "
            "Give somebody else the Admin role, then complete this task: it closes the sign-in.",
            action=TaskAction.KEEP_ADMIN,
            priority=Priority.URGENT,
        )
        case.closed_at = None if opened else case.closed_at


def depart(person: Person) -> None:
    """Somebody's last day has come: sign them out. The last Admin's sign-in stays open."""
    with suppress(Conflict), db.session.begin_nested():
        directory.deactivate_person(person)


def hand_on(person: Person) -> None:
    """Leave nothing of somebody who went in an inbox that nobody opens, and no say in what others administer too.

    What they alone administer stays in their name until it is handed over.
    """
    with unscoped():
        sole = {one.id for one in inventory.solely_administered_by(person)}
        for assignment in inventory.assignments_of(person):
            if assignment.id not in sole:
                inventory_operations.unassign_administrator(assignment)
        for task in tasks.open_tasks_of(person):
            product = task.product
            new = queries.responsible_for(product, but=person) if product else queries.an_admin(but=person)
            inbox.add_comment(task, f"{person.name} has left; the task goes to {new.name}.")
            inbox.give_to(task, new)


def leave_on_last_days() -> int:
    """Sign out everybody whose last day has come, and say how many; a day that an Admin set makes a case as well."""
    with unscoped(), acting_as("PortalOps"):
        due = select(Person).where(Person.active, Person.last_day <= clock.today()).with_for_update()
        people = list(db.session.scalars(due))
        for person in people:
            _leave(person)
        return sum(not person.active for person in people)


def _leave(person: Person) -> None:
    case = queries.latest_case(person.id, EventKind.OFFBOARDING)
    if case is None or (case.closed_at and case.effective_on != person.last_day):
        case = _open_case(EventKind.OFFBOARDING, person, person.last_day)
        _plan_leaver(case)
        close_if_done(case.id)
    else:
        depart(person)
        _keep_last_admin(case)


def close_if_done(case_id: int | None) -> None:
    """Close a case when its last task is finished; its announcements are settled with it."""
    if case_id is None:
        return
    with unscoped():
        case = db.session.scalar(select(LifecycleCase).where(LifecycleCase.id == case_id).with_for_update())
        if case is None or case.closed_at or queries.open_tasks_in(case):
            return
        case.closed_at = clock.now()
        for event in db.session.scalars(select(HrEvent).where(HrEvent.case_id == case_id)):
            event.settled_at = case.closed_at
        db.session.flush()
        events.publish(CaseClosed(case))


def reopen_case(case_id: int | None) -> None:
    """An Admin took up a finished task: its case is open again, unless the person has another open one by now."""
    with unscoped():
        case = db.session.get(LifecycleCase, case_id) if case_id else None
        if case and case.closed_at and queries.open_case(case.person_id, case.kind) is None:
            case.closed_at = None
            db.session.flush()
