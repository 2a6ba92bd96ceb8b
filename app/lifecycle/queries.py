"""Reads of the lifecycle."""

from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import selectinload

from app.directory import queries as directory
from app.directory.models import Person
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.inbox.models import WorkflowTask
from app.inbox.queries import IS_OPEN
from app.inventory import queries as inventory
from app.inventory.models import AccessGrant, AccessLevel, PermissionAssignment, Product, ProductStatus
from app.lifecycle.models import AccessTemplate, EventKind, HrEvent, LifecycleCase

LEVELS = [level.value for level in AccessLevel]


def access_needed_by(person: Person) -> tuple[dict[Product, str], bool]:
    """The products that the templates of somebody's department and position ask for, each at its highest level.

    Also whether any template fitted at all. Retired products are left out.
    """
    query = (
        select(AccessTemplate)
        .where(AccessTemplate.active)
        .where(
            or_(AccessTemplate.department_id.is_(None), AccessTemplate.department_id == person.department_id)
        )
        .where(
            or_(
                AccessTemplate.position.is_(None),
                func.lower(AccessTemplate.position) == (person.position or "").strip().lower(),
            )
        )
        .options(selectinload(AccessTemplate.products).joinedload(Product.service))
        .order_by(AccessTemplate.id)
    )
    templates = list(db.session.scalars(query))
    needed: dict[Product, str] = {}
    for template in templates:
        for product in template.products:
            if product.status == ProductStatus.ACTIVE:
                needed[product] = max(needed.get(product, template.level), template.level, key=LEVELS.index)
    return needed, bool(templates)


def responsible_for(product: Product, *, but: Person | None = None) -> Person:
    """Whoever administers the product, else its service, else an Admin; never the one left out.

    Raises LookupError when there is not even an Admin: the job fails and comes again, nothing is dropped.
    """
    for people in (
        inventory.administrators_of(product_id=product.id),
        inventory.administrators_of(service_id=product.service_id),
    ):
        willing = [person for person in people if but is None or person.id != but.id]
        if willing:
            return willing[0]
    return an_admin(but=but)


def an_admin(*, but: Person | None = None) -> Person:
    """An Admin, the one left out only if there is no other. Raises LookupError when there is none."""
    admins = directory.people_with_role("Admin")
    others = [admin for admin in admins if but is None or admin.id != but.id]
    if not admins:
        raise LookupError("no person has the Admin role")
    return (others or admins)[0]


def open_case(person_id: int | None, kind: str) -> LifecycleCase | None:
    """Somebody's open case of a kind, locked until the transaction ends."""
    query = select(LifecycleCase).where(
        LifecycleCase.person_id == person_id, LifecycleCase.kind == kind, LifecycleCase.closed_at.is_(None)
    )
    return db.session.scalar(query.with_for_update())


def latest_case(person_id: int, kind: str) -> LifecycleCase | None:
    """Somebody's latest case of a kind, open or closed."""
    query = select(LifecycleCase).where(LifecycleCase.person_id == person_id, LifecycleCase.kind == kind)
    return db.session.scalar(query.order_by(LifecycleCase.id.desc()).limit(1))


def left_since(event: HrEvent) -> bool:
    """Whether HR announced, after this event and before it was planned, that the person leaves."""
    later = select(HrEvent.id).where(
        HrEvent.person_id == event.person_id, HrEvent.kind == EventKind.OFFBOARDING, HrEvent.id > event.id
    )
    return db.session.scalar(later.limit(1)) is not None


def open_tasks_in(case: LifecycleCase) -> list[WorkflowTask]:
    """The tasks of a case that are not finished."""
    return list(db.session.scalars(select(WorkflowTask).where(WorkflowTask.case_id == case.id, IS_OPEN)))


def cases_of(person: Person) -> list[LifecycleCase]:
    """Somebody's cases, latest first, with their tasks."""
    query = (
        select(LifecycleCase).where(LifecycleCase.person_id == person.id).order_by(LifecycleCase.id.desc())
    )
    return list(db.session.scalars(query.options(selectinload(LifecycleCase.tasks))))


class Story(NamedTuple):
    """What is known of somebody beyond their name: what they administer, what they use, their cases."""

    assignments: list[PermissionAssignment]
    grants: list[AccessGrant]
    cases: list[LifecycleCase]


def story_of(person: Person) -> Story:
    """As far as the viewer may see it, loaded with everything that a page shows of it."""
    return Story(inventory.assignments_of(person), inventory.grants_of(person), cases_of(person))


def own_story(person: Person) -> Story:
    """For nobody but the person: with the names of products they use and don't administer; see `visible_cases`."""
    with unscoped():
        story = story_of(person)
    return story._replace(cases=[case for case in story.cases if case.kind == EventKind.ONBOARDING])
