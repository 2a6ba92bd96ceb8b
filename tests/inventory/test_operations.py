"""The verbs of the inventory, with somebody who may and somebody who may not."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Conflict, Forbidden, InvalidInput
from app.foundation.viewer import viewing_as
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service


def named(model, name: str):
    return db.session.scalars(select(model).where(model.name == name)).one()


def roles_of(name: str) -> set[str]:
    return {role.name for role in named(Person, name).account.roles}


@pytest.fixture
def acting(context, viewer_of):
    """`with acting("alice"):` runs with her eyes and rights."""
    return lambda name: viewing_as(viewer_of(name))


def test_service_of_a_service_administrator_is_theirs(acting):
    with acting("alice"):
        inventory.create_service(name="Notion")
        assert db.session.scalar(select(Service.name).where(Service.name == "Notion")) == "Notion"
    with acting("bob"):
        assert db.session.scalar(select(Service.name).where(Service.name == "Notion")) is None


def test_service_of_an_admin_is_assigned_to_nobody(acting):
    with acting("root"):
        service = inventory.create_service(name="Notion")
        assert service.assignments == []


def test_service_around_a_product_is_seen_but_not_changed_by_its_administrator(acting):
    with acting("bob"):
        github = named(Service, "GitHub")
        with pytest.raises(Forbidden):
            inventory.change_service(github, name="Mine")
        with pytest.raises(Forbidden):
            inventory.create_product(service_id=github.id, name="Mine")


def test_product_is_changed_but_not_deleted_by_its_administrator(acting):
    with acting("bob"):
        product = named(Product, "GitHub Enterprise")
        inventory.change_product(product, description="Where the code lives")
        with pytest.raises(Forbidden):
            inventory.delete_product(product)
    assert named(Product, "GitHub Enterprise").description == "Where the code lives"


def test_product_moves_only_between_services_that_one_administers(acting):
    with acting("root"):
        slack = named(Service, "Slack").id
    with acting("alice"):
        gmail = named(Product, "Gmail")
        with pytest.raises(InvalidInput) as refusal:
            inventory.change_product(gmail, service_id=slack)
        assert "service_id" in refusal.value.fields


def test_service_with_products_is_not_deleted(acting):
    with acting("alice"), pytest.raises(Conflict, match="still has 2 products"):
        inventory.delete_service(named(Service, "Google Workspace"))


def test_empty_service_is_deleted_with_its_assignments(acting):
    with acting("alice"):
        notion = inventory.create_service(name="Notion")
        key = notion.id
        inventory.delete_service(notion)
    query = select(PermissionAssignment).where(PermissionAssignment.service_id == key)
    assert db.session.scalar(query) is None


def test_product_with_a_history_of_access_is_retired_instead_of_deleted(acting):
    with acting("root"), pytest.raises(Conflict, match="retired"):
        inventory.delete_product(named(Product, "Gmail"))


def test_product_with_open_tasks_is_not_deleted(hr, run_jobs, acting):
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    with acting("root"), pytest.raises(IntegrityError, match="fk_workflow_tasks_product_id"):
        inventory.delete_product(named(Product, "GitHub Enterprise"))
    db.session.rollback()


def test_assignment_gives_the_role_and_the_last_one_takes_it(acting):
    with acting("root"):
        copilot, charlie = named(Product, "Copilot"), named(Person, "Charlie")
        assignment = inventory.assign_administrator(person_id=charlie.id, product_id=copilot.id)
        assert roles_of("Charlie") == {"ProductAdministrator"}
        inventory.unassign_administrator(assignment)
        assert roles_of("Charlie") == set()


def test_service_administrator_assigns_products_in_their_service_only(acting, world):
    with acting("alice"):
        inventory.assign_administrator(person_id=world.people["charlie"], product_id=world.products["Gmail"])
        with pytest.raises(InvalidInput):
            inventory.assign_administrator(
                person_id=world.people["charlie"], product_id=world.products["Copilot"]
            )
        with pytest.raises(Forbidden):
            inventory.assign_administrator(
                person_id=world.people["charlie"], service_id=world.services["Google Workspace"]
            )


@pytest.mark.parametrize("things", [{}, {"service_id": 1, "product_id": 1}])
def test_assignment_is_to_exactly_one_thing(acting, world, things):
    with acting("root"), pytest.raises(InvalidInput):
        inventory.assign_administrator(person_id=world.people["charlie"], **things)


def test_access_of_a_person_changes_all_or_nothing(acting, world):
    with acting("root"):
        bob = named(Person, "Bob")
        with pytest.raises(InvalidInput):
            inventory.change_access(
                bob, roles=["Admin"], service_ids=[world.services["Slack"], 10**6], product_ids=[]
            )
        db.session.rollback()
    assert roles_of("Bob") == {"ProductAdministrator"}
    with acting("root"):
        inventory.change_access(
            named(Person, "Bob"), roles=["Admin"], service_ids=[world.services["Slack"]], product_ids=[]
        )
    assert roles_of("Bob") == {"Admin", "ServiceAdministrator"}


def test_access_of_a_person_is_for_admins_to_change(acting):
    with acting("alice"), pytest.raises(Forbidden):
        inventory.change_access(named(Person, "Bob"), roles=[], service_ids=[], product_ids=[])


def test_grant_is_recorded_by_whoever_administers_the_product(acting, world):
    with acting("bob"):
        grant = inventory.grant_access(
            person_id=world.people["dora"], product_id=world.products["Slack Business"]
        )
        assert (grant.state, grant.source, grant.level) == ("active", "manual", "member")
        with pytest.raises(InvalidInput):
            inventory.grant_access(person_id=world.people["dora"], product_id=world.products["Gmail"])


def test_second_open_grant_is_refused_by_the_database(acting, world):
    with acting("root"), pytest.raises(IntegrityError, match="uq_access_grants_open"):
        inventory.grant_access(person_id=world.people["dora"], product_id=world.products["Copilot"])
    db.session.rollback()


def test_ended_grant_stays_and_a_new_one_may_follow(acting, world):
    with acting("root"):
        grant = db.session.scalars(
            select(AccessGrant).where(AccessGrant.person_id == world.people["dora"])
        ).one()
        inventory.end_grant(grant)
        ended_at = grant.ended_at
        inventory.end_grant(grant)
        assert (grant.state, grant.ended_at, grant.valid_until) == ("ended", ended_at, clock.today())
        with pytest.raises(Conflict):
            inventory.change_grant(grant, level="admin")
        inventory.grant_access(person_id=world.people["dora"], product_id=world.products["Copilot"])
    history = db.session.scalars(
        select(AccessGrant).where(AccessGrant.person_id == world.people["dora"])
    ).all()
    assert len(history) == 2


def test_grant_past_its_last_day_is_expired(acting, world):
    with acting("root"):
        yesterday = clock.today() - timedelta(days=1)
        grant = inventory.grant_access(
            person_id=world.people["bob"],
            product_id=world.products["Drive"],
            valid_from=yesterday,
            valid_until=yesterday,
        )
        assert grant.state == "expired"
