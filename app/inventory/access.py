"""Administrators see what they administer; everybody sees the access they themselves have."""

from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select

from app.foundation.database import db
from app.foundation.errors import Forbidden
from app.foundation.scoping import is_scoped, row_rule
from app.foundation.viewer import Viewer, current_viewer
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service

assignments = PermissionAssignment.__table__
products = Product.__table__


def services_of(viewer: Viewer) -> Select[Any]:
    """Ids of the services that somebody administers."""
    return select(assignments.c.service_id).where(
        assignments.c.person_id == viewer.id, assignments.c.service_id.is_not(None)
    )


def own_products_of(viewer: Viewer) -> Select[Any]:
    """Ids of the products that somebody administers by themselves."""
    return select(assignments.c.product_id).where(
        assignments.c.person_id == viewer.id, assignments.c.product_id.is_not(None)
    )


def products_of(viewer: Viewer) -> Select[Any]:
    """Ids of the products that somebody administers by themselves or with their service."""
    return select(products.c.id).where(
        or_(products.c.service_id.in_(services_of(viewer)), products.c.id.in_(own_products_of(viewer)))
    )


@row_rule(Service)
def visible_services(viewer: Viewer) -> ColumnElement[bool]:
    """Their services, and the service around each of their products."""
    around = select(products.c.service_id).where(products.c.id.in_(own_products_of(viewer)))
    return or_(Service.id.in_(services_of(viewer)), Service.id.in_(around))


@row_rule(Product)
def visible_products(viewer: Viewer) -> ColumnElement[bool]:
    """Their products, and those in their services."""
    return Product.id.in_(products_of(viewer))


@row_rule(PermissionAssignment)
def visible_assignments(viewer: Viewer) -> ColumnElement[bool]:
    """Their own, and who else administers what they administer."""
    return or_(
        PermissionAssignment.person_id == viewer.id,
        PermissionAssignment.service_id.in_(services_of(viewer)),
        PermissionAssignment.product_id.in_(products_of(viewer)),
    )


@row_rule(AccessGrant)
def visible_grants(viewer: Viewer) -> ColumnElement[bool]:
    """Their own access, and everybody's to what they administer."""
    return or_(AccessGrant.person_id == viewer.id, AccessGrant.product_id.in_(products_of(viewer)))


def must_administer(service_id: int | None, product_id: int | None = None) -> None:
    """Forbidden unless the viewer is Admin, administers the service, or the product if one is named."""
    viewer = current_viewer()
    if not is_scoped() or viewer is None or viewer.is_admin:
        return
    own_service = assignments.c.service_id == service_id
    own_product = assignments.c.product_id == product_id
    mine = select(assignments.c.id).where(
        assignments.c.person_id == viewer.id, or_(own_service, own_product) if product_id else own_service
    )
    if db.session.execute(mine).first() is None:
        raise Forbidden("Only its administrators may change this.")
