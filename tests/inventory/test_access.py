"""Who sees what of the inventory: administrators what they administer, everybody their own access."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.foundation.database import db
from app.foundation.errors import Forbidden
from app.foundation.scoping import unscoped
from app.foundation.viewer import viewing_as
from app.inventory import operations as inventory
from app.inventory.access import must_administer
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service
from tests.access import everything, seen_by


@pytest.mark.parametrize(
    ("name", "services", "products"),
    [
        (
            "root",
            {"Google Workspace", "GitHub", "Slack"},
            {"Gmail", "Drive", "GitHub Enterprise", "Copilot", "Slack Business"},
        ),
        ("alice", {"Google Workspace"}, {"Gmail", "Drive"}),
        ("bob", {"GitHub", "Slack"}, {"GitHub Enterprise", "Slack Business"}),
        ("charlie", set(), set()),
    ],
)
def test_services_and_products_are_seen_by_their_administrators(context, viewer_of, name, services, products):
    assert seen_by(viewer_of(name), Service, Service.name) == services
    assert seen_by(viewer_of(name), Product, Product.name) == products


def test_grants_are_seen_by_whom_they_are_for_and_who_administers(context, viewer_of, world):
    people, products = world.people, world.products
    for person, product in (("dora", "Slack Business"), ("bob", "Gmail"), ("alice", "Copilot")):
        inventory.grant_access(person_id=people[person], product_id=products[product])
    names = {key: f"{name}" for name, key in products.items()}

    def seen(name: str) -> set[str]:
        return {names[key] for key in seen_by(viewer_of(name), AccessGrant, AccessGrant.product_id)}

    assert seen("root") == {"Gmail", "Copilot", "Slack Business"}
    assert seen("alice") == {"Gmail", "Copilot"}
    assert seen("bob") == {"Gmail", "Slack Business"}
    assert seen("charlie") == {"Gmail"}
    assert len(seen_by(viewer_of("charlie"), AccessGrant, AccessGrant.id)) == 1
    assert len(seen_by(viewer_of("alice"), AccessGrant, AccessGrant.id)) == 3


def test_assignments_are_seen_by_whom_they_are_for_and_who_administers(context, viewer_of, world):
    people, products = world.people, world.products
    inventory.assign_administrator(person_id=people["dora"], product_id=products["Gmail"])
    inventory.assign_administrator(person_id=people["dora"], product_id=products["Copilot"])
    inventory.assign_administrator(person_id=people["alice"], product_id=products["Slack Business"])

    def seen(name: str) -> set[str]:
        found = seen_by(viewer_of(name), PermissionAssignment, PermissionAssignment.id)
        return {str(row) for row in db.session.scalars(select(PermissionAssignment)) if row.id in found}

    assert len(seen("root")) == len(everything(PermissionAssignment.id)) == 6
    assert seen("alice") == {
        "Alice: Service Google Workspace",
        "Alice: Product Slack Business",
        "Bob: Product Slack Business",
        "Dora: Product Gmail",
    }
    assert seen("bob") == {
        "Bob: Product GitHub Enterprise",
        "Bob: Product Slack Business",
        "Alice: Product Slack Business",
    }
    assert seen("charlie") == set()


def test_end_of_an_assignment_hides_at_once(context, viewer_of, world):
    with viewing_as(viewer_of("root")):
        mine = select(PermissionAssignment).where(
            PermissionAssignment.product_id == world.products["Slack Business"]
        )
        inventory.unassign_administrator(db.session.scalars(mine).one())
    assert seen_by(viewer_of("bob"), Product, Product.name) == {"GitHub Enterprise"}
    assert seen_by(viewer_of("bob"), Service, Service.name) == {"GitHub"}


@pytest.mark.parametrize("lazily", [True, False])
def test_relations_lead_to_nothing_hidden(context, viewer_of, world, lazily):
    inventory.grant_access(person_id=world.people["bob"], product_id=world.products["Copilot"])
    db.session.flush()
    db.session.expunge_all()
    query = select(AccessGrant).where(AccessGrant.person_id == world.people["bob"])
    with viewing_as(viewer_of("bob")):
        own = db.session.scalars(query if lazily else query.options(joinedload(AccessGrant.product))).one()
        assert own.product is None
        github = db.session.scalars(select(Service).where(Service.name == "GitHub")).one()
        assert [product.name for product in github.products] == ["GitHub Enterprise"]
        enterprise = github.products[0]
        assert [str(one) for one in enterprise.assignments] == ["Bob: Product GitHub Enterprise"]
        with unscoped():
            db.session.expire(own)
            assert own.product.name == "Copilot"


@pytest.mark.parametrize(
    ("name", "thing", "may"),
    [
        ("root", ("Slack", None), True),
        ("alice", ("Google Workspace", None), True),
        ("alice", ("Google Workspace", "Gmail"), True),
        ("alice", ("Slack", None), False),
        ("alice", ("Slack", "Slack Business"), False),
        ("bob", ("GitHub", "GitHub Enterprise"), True),
        ("bob", ("GitHub", "Copilot"), False),
        ("bob", ("GitHub", None), False),
        ("charlie", ("Google Workspace", "Gmail"), False),
    ],
)
def test_only_administrators_change(context, viewer_of, world, name, thing, may):
    service, product = thing
    keys = world.services[service], world.products.get(product)
    with viewing_as(viewer_of(name)):
        if may:
            must_administer(*keys)
        else:
            with pytest.raises(Forbidden):
                must_administer(*keys)
