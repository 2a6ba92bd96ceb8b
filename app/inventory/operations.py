"""The verbs of the inventory: services, products, who administers them, who uses them."""

from datetime import date
from typing import Any

from app.directory import operations as directory
from app.directory.access import PRODUCT_ADMINISTRATOR, SERVICE_ADMINISTRATOR
from app.directory.models import Person
from app.foundation import clock, events
from app.foundation.database import assign, db
from app.foundation.errors import Conflict, Forbidden, InvalidInput
from app.foundation.references import visible
from app.foundation.scoping import is_scoped, unscoped
from app.foundation.viewer import current_viewer, forget_viewer
from app.inventory import queries
from app.inventory.access import must_administer
from app.inventory.events import (
    GrantEnded,
    GrantStarted,
    ProductCreated,
    ProductLeaves,
    ServiceCreated,
    ServiceLeaves,
)
from app.inventory.models import AccessGrant, AccessLevel, GrantSource, PermissionAssignment, Product, Service

SERVICE_FIELDS = ("name", "vendor", "url", "description")
PRODUCT_FIELDS = ("name", "url", "description", "status")


def create_service(*, name: str, **fields: Any) -> Service:
    """Add a service. Whoever adds it without being Admin administers it from then on."""
    service = Service(name=name.strip())
    assign(service, fields, SERVICE_FIELDS[1:])
    db.session.add(service)
    db.session.flush()
    viewer = current_viewer()
    if viewer and not viewer.is_admin and viewer.id:
        with unscoped():
            administrator = db.session.get_one(Person, viewer.id)
            db.session.add(PermissionAssignment(person=administrator, service=service))
            db.session.flush()
    events.publish(ServiceCreated(service))
    return service


def change_service(service: Service, **fields: Any) -> Service:
    """Change a service; Forbidden for those who only administer a product of it."""
    must_administer(service.id)
    assign(service, fields, SERVICE_FIELDS)
    db.session.flush()
    return service


def delete_service(service: Service) -> None:
    """Remove a service that has no products left; otherwise a conflict says how many."""
    must_administer(service.id)
    with unscoped():
        left = len(service.products)
        if left:
            raise Conflict(
                f"{service.name} still has {left} product{'s' if left > 1 else ''}. Delete them first."
            )
        events.publish(ServiceLeaves(service))
        _remove_with_assignments(service)


def create_product(*, service_id: int, name: str, **fields: Any) -> Product:
    """Add a product to a service that the viewer administers."""
    service = visible(Service, service_id, "service_id")
    must_administer(service.id)
    product = Product(service=service, name=name.strip())
    assign(product, fields, PRODUCT_FIELDS[1:])
    with unscoped():
        db.session.add(product)
        db.session.flush()
    events.publish(ProductCreated(product))
    return product


def change_product(product: Product, **fields: Any) -> Product:
    """Change a product, or move it to another service that the viewer administers."""
    must_administer(product.service_id, product.id)
    if fields.get("service_id") not in (None, product.service_id):
        must_administer(product.service_id)
        product.service = visible(Service, fields["service_id"], "service_id")
        must_administer(product.service.id)
    assign(product, fields, PRODUCT_FIELDS)
    db.session.flush()
    return product


def delete_product(product: Product) -> None:
    """Remove a product that nobody ever had access to; one with a history is retired instead (Conflict)."""
    must_administer(product.service_id)
    with unscoped():
        used = len(product.grants)
        if used:
            raise Conflict(
                f"{product.name} has {used} access grant{'s' if used > 1 else ''} in its history. "
                "Set its status to retired instead."
            )
        events.publish(ProductLeaves(product))
        _remove_with_assignments(product)


def _remove_with_assignments(thing: Service | Product) -> None:
    """Nobody administers what is gone; each assignment leaves its own trace in the log."""
    for assignment in list(thing.assignments):
        unassign_administrator(assignment)
    db.session.expire(thing, ["assignments"])
    db.session.delete(thing)
    db.session.flush()


def assign_administrator(
    *, person_id: int, service_id: int | None = None, product_id: int | None = None
) -> PermissionAssignment:
    """Let somebody administer a service or a product; they get the role that goes with it."""
    person = visible(Person, person_id, "person_id")
    if bool(service_id) == bool(product_id):
        raise InvalidInput(product_id="Choose either a service or a product.")
    if not person.active:
        raise Conflict(f"{person.name} has left the company.")
    assignment = PermissionAssignment(person=person)
    if service_id:
        assignment.service = visible(Service, service_id, "service_id")
        _must_be_admin()
    else:
        assignment.product = visible(Product, product_id, "product_id")
        must_administer(assignment.product.service_id)
    with unscoped():
        db.session.add(assignment)
        db.session.flush()
        directory.grant_role(person, assignment.role)
    forget_viewer()
    return assignment


def unassign_administrator(assignment: PermissionAssignment) -> None:
    """Let somebody no longer administer something; with the last such thing the role goes too."""
    if assignment.service_id:
        _must_be_admin()
    else:
        with unscoped():
            service_id = assignment.product.service_id if assignment.product else None
        must_administer(service_id)
    with unscoped():
        person, role = assignment.person, assignment.role
        db.session.delete(assignment)
        db.session.flush()
        if person.account and role not in {left.role for left in queries.assignments_of(person)}:
            kept = [one.name for one in person.account.roles if one.name != role]
            directory.change_roles(person, kept)
    forget_viewer()


def _must_be_admin() -> None:
    viewer = current_viewer()
    if is_scoped() and not (viewer and viewer.is_admin):
        raise Forbidden("Only an Admin decides who administers a service.")


def change_access(
    person: Person, *, roles: list[str], service_ids: list[int], product_ids: list[int]
) -> None:
    """Make these somebody's roles and everything they administer, all or nothing.

    A role that goes with an assignment is given with it. Conflict if the last Admin would lose the role.
    """
    _must_be_admin()
    wanted = {("service", key) for key in service_ids} | {("product", key) for key in product_ids}
    held = {
        ("service", one.service_id) if one.service_id else ("product", one.product_id): one
        for one in queries.assignments_of(person)
    }
    for key in held.keys() - wanted:
        db.session.delete(held[key])
    for service_id in sorted(set(service_ids) - {one.service_id for one in held.values()}):
        service = visible(Service, service_id, "service_ids")
        db.session.add(PermissionAssignment(person=person, service=service))
    for product_id in sorted(set(product_ids) - {one.product_id for one in held.values()}):
        product = visible(Product, product_id, "product_ids")
        db.session.add(PermissionAssignment(person=person, product=product))
    implied = {SERVICE_ADMINISTRATOR: bool(service_ids), PRODUCT_ADMINISTRATOR: bool(product_ids)}
    names = {name for name in roles if implied.get(name, True)} | {
        name for name, given in implied.items() if given
    }
    directory.change_roles(person, sorted(names))
    db.session.flush()
    forget_viewer()


def adjust_access(
    person: Person, *, roles: list[str] | None, services: dict[str, list[int]], products: dict[str, list[int]]
) -> None:
    """Add and remove assignments, and replace the roles if some are given; all or nothing.

    A ServiceAdministrator may do so for products inside their services and for nothing else (Forbidden).
    """
    for name in ("service", "product"):
        changes = services if name == "service" else products
        for key in changes.get("remove", []):
            _drop(person, name, key)
        for key in changes.get("add", []):
            _take_on(person, name, key)
    if roles is not None:
        _must_be_admin()
        directory.change_roles(person, sorted(set(roles)))
    forget_viewer()


def _take_on(person: Person, name: str, key: int) -> None:
    """Somebody who administers it already goes on doing so."""
    visible(Service if name == "service" else Product, key, f"assignments.{name}s.add")
    if queries.assignment_of(person.id, **{f"{name}_id": key}) is None:
        assign_administrator(person_id=person.id, **{f"{name}_id": key})


def _drop(person: Person, name: str, key: int) -> None:
    """Somebody who does not administer it has nothing to lose."""
    visible(Service if name == "service" else Product, key, f"assignments.{name}s.remove")
    assignment = queries.assignment_of(person.id, **{f"{name}_id": key})
    if assignment:
        unassign_administrator(assignment)


def grant_access(
    *,
    person_id: int,
    product_id: int,
    level: str = AccessLevel.MEMBER,
    source: str = GrantSource.MANUAL,
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> AccessGrant:
    """Record that somebody uses a product from a day on, until a day if one is known."""
    person = visible(Person, person_id, "person_id")
    product = visible(Product, product_id, "product_id")
    must_administer(product.service_id, product.id)
    if not person.active:
        raise Conflict(f"{person.name} has left the company.")
    grant = AccessGrant(
        person=person,
        product=product,
        level=level,
        source=source,
        valid_from=valid_from or clock.today(),
        valid_until=valid_until,
    )
    db.session.add(grant)
    db.session.flush()
    events.publish(GrantStarted(grant))
    return grant


def _must_administer_what_is_used(grant: AccessGrant) -> None:
    """One may see one's own access to a product that one may not see."""
    with unscoped():
        product = db.session.get_one(Product, grant.product_id)
    must_administer(product.service_id, product.id)


def change_grant(grant: AccessGrant, **fields: Any) -> AccessGrant:
    """Change the level or the planned end of an access that has not ended (Conflict otherwise)."""
    _must_administer_what_is_used(grant)
    if grant.ended_at:
        raise Conflict("This access has ended; its record stays as it is.")
    assign(grant, fields, ("level", "valid_until"))
    db.session.flush()
    return grant


def end_grant(grant: AccessGrant) -> None:
    """Record that an access was taken away now; its row stays. Ending it twice changes nothing."""
    _must_administer_what_is_used(grant)
    if grant.ended_at is None:
        grant.ended_at = clock.now()
        grant.valid_until = max(min(grant.valid_until or clock.today(), clock.today()), grant.valid_from)
        db.session.flush()
        events.publish(GrantEnded(grant))
