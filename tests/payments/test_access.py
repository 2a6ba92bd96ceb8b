"""Who sees what is paid: Admins; ServiceAdministrators those of their services, once an Admin grants it."""

import pytest
from sqlalchemy import select

from app.directory.models import Role
from app.foundation.database import db
from app.foundation.errors import Forbidden
from app.foundation.viewer import viewing_as
from app.inventory.models import Product
from app.payments import operations as payments
from app.payments import queries
from app.payments.models import PaymentInfo
from tests.access import everything, seen_by


def products_of(keys) -> set[str]:
    return everything(Product.name) & {
        name for name, key in db.session.execute(select(Product.name, Product.id)) if key in keys
    }


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("root", {"Gmail", "Drive", "GitHub Enterprise", "Copilot", "Slack Business"}),
        ("alice", {"Gmail", "Drive"}),
        ("bob", set()),
        ("charlie", set()),
    ],
)
def test_payments_are_seen_with_the_whole_service(context, viewer_of, name, seen):
    assert products_of(seen_by(viewer_of(name), PaymentInfo, PaymentInfo.product_id)) == seen


@pytest.mark.parametrize(("name", "names"), [("root", 5), ("alice", 2), ("bob", 0), ("charlie", 0)])
def test_register_and_its_counts_hold_the_rule_though_they_select_columns(context, viewer_of, name, names):
    with viewing_as(viewer_of(name)):
        assert len(db.session.execute(queries.register()).all()) == names
        assert sum(queries.counts_by_state().values()) == names


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_only_an_admin_changes_a_payment(context, world, viewer_of, name):
    payment = queries.payment_of(world.products["Gmail"])
    with viewing_as(viewer_of(name)):
        with pytest.raises(Forbidden):
            payments.change_payment(payment, amount="1.00")
        with pytest.raises(Forbidden):
            payments.register_product(
                service_id=world.services["Google Workspace"], product_name="New", payment_info={}
            )
    with viewing_as(viewer_of("root")):
        assert payments.change_payment(payment, amount="1.00").amount == 1


def test_service_administrator_reads_theirs_when_the_role_page_grants_it(app, world, alice, bob):
    gmail, copilot = world.products["Gmail"], world.products["Copilot"]
    assert alice.api("GET", "payment-infos/").status_code == 403
    assert alice.get("/payments/list/").status_code == 403
    with app.app_context():
        security = app.appbuilder.sm
        for permission in ("can_read", "can_edit"):
            granted = security.find_permission_view_menu(permission, "PaymentInfo")
            role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
            security.add_permission_role(role, granted)
        db.session.commit()
    answer = alice.api("GET", "payment-infos/")
    assert {one["product_id"] for one in answer.json["result"]} == {gmail, world.products["Drive"]}
    own, other = (key_of(app, product) for product in (gmail, copilot))
    assert alice.get(f"/payments/show/{own}").status_code == 302
    assert alice.get(f"/payments/show/{other}").status_code == 404
    assert alice.api("GET", f"payment-infos/{other}").status_code == 404
    assert alice.api("PUT", f"payment-infos/{own}", {"amount": "1.00"}).status_code == 403
    assert bob.api("GET", "payment-infos/").status_code == 403


def key_of(app, product_id: int) -> int:
    with app.app_context():
        return queries.payment_of(product_id).id
