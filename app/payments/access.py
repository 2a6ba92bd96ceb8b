"""Payments are the Admins'. An Admin may grant ServiceAdministrators to read those of their services, on the role page."""

from sqlalchemy import ColumnElement, select

from app.foundation.errors import Forbidden
from app.foundation.scoping import is_scoped, row_rule
from app.foundation.viewer import Viewer, current_viewer
from app.inventory.access import services_of
from app.inventory.models import Product
from app.payments.models import PaymentInfo

products = Product.__table__


@row_rule(PaymentInfo)
def visible_payments(viewer: Viewer) -> ColumnElement[bool]:
    """Those of the products in the services that somebody administers; a product's own administrator sees none."""
    return PaymentInfo.product_id.in_(
        select(products.c.id).where(products.c.service_id.in_(services_of(viewer)))
    )


def must_be_admin() -> None:
    """Forbidden for everybody else, whatever the role page grants: who reads payments does not change them."""
    viewer = current_viewer()
    if is_scoped() and not (viewer and viewer.is_admin):
        raise Forbidden("Only an Admin changes what is paid.")
