"""Somebody can always administer the portal, whatever door the last Admin would be taken away by."""

import pytest
from sqlalchemy import func, select

from app.directory import operations as directory
from app.directory.models import Account, Group, Person, Role
from app.foundation.database import db
from tests.directory.sessions import is_signed_in, token_works


@pytest.fixture
def last_admin(app, root, world, context):
    """Root is the only one left who can sign in as Admin."""
    first = db.session.scalars(select(Person).where(Person.name == "Portal Administrator")).one()
    directory.change_roles(first, [])
    db.session.commit()
    return world.people["root"]


def admins_that_can_sign_in() -> int:
    db.session.rollback()
    query = select(func.count(Account.id)).join(Account.roles).where(Role.name == "Admin")
    return db.session.scalar(query.where(Account.active, Account.password.is_not(None)))


def account_form(**changes):
    root = {
        "first_name": "Root",
        "last_name": "-",
        "username": "root@example.com",
        "email": "root@example.com",
    }
    return {**root, "active": "y", **changes}


def test_last_admin_stays_on_every_door(root, last_admin, hr):
    admin = db.session.scalars(select(Role).where(Role.name == "Admin")).one().id
    public = db.session.scalars(select(Role).where(Role.name == "Public")).one().id
    account = root.account_id
    doors = {
        "person page, no role": lambda: root.post(f"/people/{last_admin}/access", {}),
        "person page, other role": lambda: root.post(f"/people/{last_admin}/access", {"roles": "Public"}),
        "person form": lambda: root.post(
            f"/people/edit/{last_admin}", {"name": "Root", "email": "root@example.com"}
        ),
        "person delete": lambda: root.post(f"/people/delete/{last_admin}"),
        "api delete": lambda: root.api("DELETE", f"people/{last_admin}"),
        "api put": lambda: root.api("PUT", f"people/{last_admin}", {"active": False}),
        "account closed": lambda: root.post(
            f"/users/edit/{account}", {**account_form(roles=admin), "active": ""}
        ),
        "account without role": lambda: root.post(f"/users/edit/{account}", account_form()),
        "account with another role": lambda: root.post(f"/users/edit/{account}", account_form(roles=public)),
        "account deleted": lambda: root.post(f"/users/delete/{account}"),
        "role renamed": lambda: root.post(f"/roles/edit/{admin}", {"name": "Boss"}),
        "role deleted": lambda: root.post(f"/roles/delete/{admin}"),
        "leaver": lambda: hr("offboarding", email="root@example.com"),
    }
    for door, push in doors.items():
        answer = push()
        assert answer.status_code < 500, door
        assert admins_that_can_sign_in() == 1, door
        assert root.get("/users/list/").status_code == 200, door
        assert token_works(root), door


def test_last_admin_stays_when_a_group_goes(app, root, world, context):
    """Somebody who is Admin through a group does not make the last direct Admin dispensable by losing the group."""
    admin = db.session.scalars(select(Role).where(Role.name == "Admin")).one()
    group = Group(name="Bosses", label="Bosses")
    group.roles = [admin]
    db.session.add(group)
    first = db.session.scalars(select(Person).where(Person.name == "Portal Administrator")).one()
    directory.change_roles(first, [])
    db.session.commit()
    for push in (
        lambda: root.post(f"/groups/edit/{group.id}", {"name": "Bosses", "label": "Bosses"}),
        lambda: root.post(f"/groups/delete/{group.id}"),
    ):
        assert push().status_code < 500
        assert admins_that_can_sign_in() == 1
        assert root.get("/users/list/").status_code == 200


def test_admin_may_go_when_another_stays(root, visit, world, context):
    directory.grant_role(db.session.get(Person, world.people["alice"]), "Admin")
    db.session.commit()
    alice = visit("alice")
    assert root.api("DELETE", f"people/{world.people['root']}").status_code == 200
    assert not is_signed_in(root)
    assert alice.get("/users/list/").status_code == 200
