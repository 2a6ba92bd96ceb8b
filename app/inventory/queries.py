"""Reads of the inventory."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, false, func, or_, select
from sqlalchemy.orm import joinedload

from app.directory.models import Account, Person
from app.foundation import prepared
from app.foundation.database import among, db
from app.foundation.scoping import unscoped
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service

# Who can sign in and stays, then by length of the assignment.
_FIRST_IN_CHARGE: tuple[Any, ...] = (
    func.coalesce(Account.active & Account.password.is_not(None), false()).desc(),
    Person.last_day.is_not(None),
    PermissionAssignment.id,
)
_ADMINISTERED_BY: Any = select(PermissionAssignment.service_id, PermissionAssignment.product_id).where(
    PermissionAssignment.person_id == bindparam("person")
)


def administrators_of(*, product_id: int | None = None, service_id: int | None = None) -> list[Person]:
    """Active people who administer just this: who can sign in and stays first, then by length of the assignment."""
    with unscoped():
        query = (
            select(Person)
            .join(PermissionAssignment, PermissionAssignment.person_id == Person.id)
            .outerjoin(Account, Account.id == Person.account_id)
            .where(Person.active)
            .where(
                or_(
                    (PermissionAssignment.product_id == product_id) if product_id else false(),
                    (PermissionAssignment.service_id == service_id) if service_id else false(),
                )
            )
            .order_by(*_FIRST_IN_CHARGE)
        )
        return list(db.session.scalars(query))


def administrators_by_product(products: Mapping[int, int]) -> dict[int, list[tuple[int, str]]]:
    """Id and name of the active people who administer each product, or else the service it is of: one statement.

    `products` maps a product to its service. The order is that of `administrators_of`.
    """
    with unscoped():
        query = (
            select(PermissionAssignment.product_id, PermissionAssignment.service_id, Person.id, Person.name)
            .join(Person, PermissionAssignment.person_id == Person.id)
            .outerjoin(Account, Account.id == Person.account_id)
            .where(Person.active)
            .where(
                or_(
                    PermissionAssignment.product_id.in_(products),
                    PermissionAssignment.service_id.in_(set(products.values())),
                )
            )
            .order_by(*_FIRST_IN_CHARGE)
        )
        rows = db.session.execute(query).all()
    of_product: dict[int, list[tuple[int, str]]] = defaultdict(list)
    of_service: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for product_id, service_id, person_id, name in rows:
        if product_id is not None:
            of_product[product_id].append((person_id, name))
        elif service_id is not None:
            of_service[service_id].append((person_id, name))
    return {one: of_product[one] or of_service[service] for one, service in products.items()}


def administrators_by_service(service_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Id and name of the active people who administer each service: one statement, the order of `administrators_of`."""
    with unscoped():
        query = (
            select(PermissionAssignment.service_id, Person.id, Person.name)
            .join(Person, PermissionAssignment.person_id == Person.id)
            .outerjoin(Account, Account.id == Person.account_id)
            .where(Person.active, among(PermissionAssignment.service_id, service_ids))
            .order_by(*_FIRST_IN_CHARGE)
        )
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for service_id, person_id, name in db.session.execute(query):
            if service_id is not None:
                found[service_id].append((person_id, name))
    return found


def open_grants_of(person: Person) -> list[AccessGrant]:
    """The access somebody holds, by service and product."""
    return [grant for grant in grants_of(person) if grant.ended_at is None]


def grants_of(person: Person) -> list[AccessGrant]:
    """All access somebody holds or held, as far as the viewer may see it: open first, then the latest ended."""
    query = (
        select(AccessGrant)
        .where(AccessGrant.person_id == person.id)
        .options(joinedload(AccessGrant.product).joinedload(Product.service))
        .order_by(AccessGrant.ended_at.desc().nulls_first(), AccessGrant.id)
    )
    return list(db.session.scalars(query))


def open_grant(person_id: int, product_id: int) -> AccessGrant | None:
    """The access somebody holds to a product."""
    with unscoped():
        return db.session.scalar(
            select(AccessGrant).where(
                AccessGrant.person_id == person_id,
                AccessGrant.product_id == product_id,
                AccessGrant.ended_at.is_(None),
            )
        )


def assignments_of(person: Person) -> list[PermissionAssignment]:
    """What somebody administers, as far as the viewer may see it; services first."""
    query = (
        select(PermissionAssignment)
        .where(PermissionAssignment.person_id == person.id)
        .options(
            joinedload(PermissionAssignment.service),
            joinedload(PermissionAssignment.product).joinedload(Product.service),
        )
        .order_by(PermissionAssignment.service_id.nulls_last(), PermissionAssignment.product_id)
    )
    return list(db.session.scalars(query))


def assignment_of(
    person_id: int, *, service_id: int | None = None, product_id: int | None = None
) -> PermissionAssignment | None:
    """The assignment of somebody to just this service or product."""
    query = select(PermissionAssignment).where(PermissionAssignment.person_id == person_id)
    if service_id:
        return db.session.scalar(query.where(PermissionAssignment.service_id == service_id))
    return db.session.scalar(query.where(PermissionAssignment.product_id == product_id))


def solely_administered_by(person: Person) -> list[PermissionAssignment]:
    """Those of somebody's assignments to a thing that no other active person administers."""
    with unscoped():
        mine = assignments_of(person)
        shared = [
            {other.id for other in administrators_of(product_id=one.product_id, service_id=one.service_id)}
            for one in mine
        ]
    return [one for one, people in zip(mine, shared, strict=True) if not people - {person.id}]


def administered_by(person_id: int | None) -> tuple[list[int], list[int]]:
    """Ids of the services and of the single products that somebody administers."""
    with unscoped():
        rows = prepared.rows(_ADMINISTERED_BY, person=person_id)
    return [row[0] for row in rows if row[0]], [row[1] for row in rows if row[1]]


def products_by_service(service_ids: Sequence[int], *columns: Any) -> dict[int, list[Any]]:
    """These columns, of which the first is `service_id`, of the products that the viewer may see, by name."""
    found: dict[int, list[Any]] = defaultdict(list)
    for row in prepared.rows(_products_of(*columns), services=list(service_ids)):
        found[row[0]].append(row)
    return found


@cache
def _products_of(*columns: Any) -> Select[Any]:
    query = select(*columns).where(among(Product.service_id, "services"))
    return query.order_by(Product.name, Product.id)


@cache
def services_by_name(*columns: Any) -> Select[Any]:
    """These columns of the services."""
    return select(*columns).order_by(func.lower(Service.name), Service.id)


@cache
def products_by_name(*columns: Any) -> Select[Any]:
    """These columns of the products."""
    return select(*columns).order_by(func.lower(Product.name), Product.id)
