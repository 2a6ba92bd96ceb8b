"""Services with their products, and who administers them."""

import random
from typing import Any

from sqlalchemy import select

from app.demo_company.company import CAST, data, is_cast, is_head, open_account, seeded
from app.directory.models import Person, Role
from app.foundation.database import db
from app.inventory.models import PermissionAssignment, Product, ProductStatus, Service

ALICES_SERVICE = "Google Workspace"
BOBS_PRODUCTS = ("Slack Business+", "Figma Design")
CANDIDATES = 8
WITH_AN_ADMINISTRATOR = 0.35


def sign_up(people: list[Person]) -> dict[str, Product]:
    """Everything of services.toml; the products by name, which is unique in the demo."""
    services = [_service(one) for one in data("services")["service"]]
    db.session.add_all(services)
    db.session.flush()
    products = {product.name: product for service in services for product in service.products}
    _appoint(services, products, people)
    return products


def _service(one: dict[str, Any]) -> Service:
    service = Service(**{field: one[field] for field in ("name", "vendor", "url", "description")})
    kinds = ((one["products"], ProductStatus.ACTIVE), (one.get("retired", {}), ProductStatus.RETIRED))
    service.products = [
        Product(name=name, description=text, status=status, url=one["url"])
        for entries, status in kinds
        for name, text in entries.items()
    ]
    return service


def _appoint(services: list[Service], products: dict[str, Product], people: list[Person]) -> None:
    """Each service has administrators, a third of the products has one of its own; the cast's come first."""
    by_first_name = {person.name.split()[0]: person for person in people if is_cast(person)}
    alice, bob = (by_first_name[name] for name in list(CAST)[:2])
    assignments = [
        PermissionAssignment(person=alice, service=next(s for s in services if s.name == ALICES_SERVICE)),
        *(PermissionAssignment(person=bob, product=products[name]) for name in BOBS_PRODUCTS),
    ]
    chance = seeded("administrators")
    for one, service in zip(data("services")["service"], services, strict=True):
        assignments += _administrators(one, service, _candidates(one, people), chance)
    db.session.add_all(assignments)
    db.session.flush()
    _give_roles(assignments)


def _candidates(one: dict[str, Any], people: list[Person]) -> list[Person]:
    """The owner department's people who have been here longest, so that few administer much, as in life."""
    ours = [person for person in people if person.active and person.department_name == one["owner"]]
    return [person for person in ours if not is_cast(person) and not is_head(person)][:CANDIDATES]


def _administrators(
    one: dict[str, Any], service: Service, candidates: list[Person], chance: random.Random
) -> list[PermissionAssignment]:
    # Whoever administers the service that goes with a leaver administers nothing else.
    loner, *others = candidates
    if one.get("alone"):
        return [PermissionAssignment(person=loner, service=service)]
    appointed = chance.sample(others, one["administrators"])
    found = [PermissionAssignment(person=person, service=service) for person in appointed]
    for product in service.products:
        wanted = chance.random() < WITH_AN_ADMINISTRATOR
        if wanted and service.name != ALICES_SERVICE and product.name not in BOBS_PRODUCTS:
            left = [person for person in others if person not in appointed]
            found.append(PermissionAssignment(person=chance.choice(left or others), product=product))
    return found


def _give_roles(assignments: list[PermissionAssignment]) -> None:
    roles = {role.name: role for role in db.session.scalars(select(Role))}
    for assignment in assignments:
        account = open_account(assignment.person)
        if roles[assignment.role] not in account.roles:
            account.roles.append(roles[assignment.role])
    db.session.flush()
