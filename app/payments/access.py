"""Payments are the Admins'. An Admin may grant ServiceAdministrators to read those of their services, on the role page."""

from typing import Any

from sqlalchemy import ColumnElement, Select, false, select

from app.foundation.errors import Forbidden
from app.foundation.scoping import is_scoped, row_rule
from app.foundation.viewer import Viewer, current_viewer
from app.inventory.access import services_of
from app.inventory.models import Product
from app.payments.feed_models import CalendarFeed
from app.payments.history_models import Invoice, PaymentMade
from app.payments.import_models import ImportRow, ImportRun
from app.payments.models import PaymentInfo

products, payments_made = Product.__table__, PaymentMade.__table__


def _products_of(viewer: Viewer) -> Select[Any]:
    """Keys of the products whose payments somebody may see, with the grant of an Admin."""
    return select(products.c.id).where(products.c.service_id.in_(services_of(viewer)))


@row_rule(PaymentInfo)
def visible_payments(viewer: Viewer) -> ColumnElement[bool]:
    """Those of the products in the services that somebody administers; a product's own administrator sees none."""
    return PaymentInfo.product_id.in_(_products_of(viewer))


@row_rule(PaymentMade)
def visible_payments_made(viewer: Viewer) -> ColumnElement[bool]:
    """What was paid for those products."""
    return PaymentMade.product_id.in_(_products_of(viewer))


@row_rule(Invoice)
def visible_invoices(viewer: Viewer) -> ColumnElement[bool]:
    """An invoice is seen with its payment."""
    seen = payments_made.c.product_id.in_(_products_of(viewer))
    return Invoice.payment_id.in_(select(payments_made.c.id).where(seen))


@row_rule(ImportRun)
@row_rule(ImportRow)
def visible_imports(_viewer: Viewer) -> ColumnElement[bool]:
    """Who reads payments does not import them."""
    return false()


def may_change_payments() -> bool:
    """Only Admins, whatever the role page grants: who reads payments does not change them."""
    viewer = current_viewer()
    return not is_scoped() or bool(viewer and viewer.is_admin)


def must_be_admin() -> None:
    """Forbidden for everybody else."""
    if not may_change_payments():
        raise Forbidden("Only an Admin changes what is paid.")


@row_rule(CalendarFeed, holds_admins=True)
def own_feed(viewer: Viewer) -> ColumnElement[bool]:
    """One's own, for Admins too: an address is nobody else's business."""
    return CalendarFeed.account_id == viewer.account_id
