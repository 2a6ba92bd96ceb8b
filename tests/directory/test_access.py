"""Who sees whom: administrators everybody, others themselves; accounts and sessions only their own."""

import pytest
from sqlalchemy import select

from app.directory import operations as directory
from app.directory.models import Account, Department, Invitation, Person, Role, SignInSession
from app.foundation.database import db
from app.foundation.viewer import viewing_as
from tests.access import everything, seen_by


@pytest.mark.parametrize("name", ["root", "alice", "bob"])
def test_administrator_sees_all_people_and_departments(context, viewer_of, name):
    assert seen_by(viewer_of(name), Person, Person.name) == everything(Person.name)
    assert seen_by(viewer_of(name), Department, Department.name) == {"Engineering", "Sales"}


def test_employee_sees_themselves(context, viewer_of):
    assert seen_by(viewer_of("charlie"), Person, Person.name) == {"Charlie"}


def test_employee_sees_their_own_department(context, viewer_of, world):
    assert seen_by(viewer_of("charlie"), Department, Department.name) == set()
    charlie = db.session.get(Person, world.people["charlie"])
    directory.change_person(charlie, department_id=world.departments["Sales"])
    assert seen_by(viewer_of("charlie"), Department, Department.name) == {"Sales"}


def test_relations_lead_to_nobody_hidden(context, viewer_of, world):
    directory.change_person(
        db.session.get(Person, world.people["charlie"]), department_id=world.departments["Engineering"]
    )
    db.session.flush()
    db.session.expunge_all()
    with viewing_as(viewer_of("charlie")):
        engineering = db.session.scalars(select(Department)).one()
        assert [person.name for person in engineering.people] == ["Charlie"]


@pytest.fixture
def account_viewer(viewer_of):
    """A viewer who knows their own account."""

    def make(name: str):
        key = db.session.scalars(select(Account.id).where(Account.email == f"{name}@example.com")).one()
        viewer = viewer_of(name)
        return type(viewer)(viewer.id, key, viewer.name, viewer.email, viewer.roles)

    return make


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_account_is_seen_by_its_owner_and_admins(context, account_viewer, name):
    assert seen_by(account_viewer(name), Account, Account.username) == {f"{name}@example.com"}
    assert seen_by(account_viewer("root"), Account, Account.username) == everything(Account.username)


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_session_is_seen_by_its_owner_and_admins(context, account_viewer, visit, name):
    own = [visit(name).session_id, visit(name).session_id]
    other = visit("bob").session_id
    assert seen_by(account_viewer(name), SignInSession, SignInSession.id) == set(own)
    assert seen_by(account_viewer("root"), SignInSession, SignInSession.id) == {*own, other}


def test_viewer_without_an_account_sees_no_account(context, viewer_of, visit):
    visit("bob")
    assert seen_by(viewer_of("alice"), Account, Account.username) == set()
    assert seen_by(viewer_of("alice"), SignInSession, SignInSession.id) == set()


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_invitation_is_for_admins(context, viewer_of, account_viewer, world, name):
    directory.invite(db.session.get(Person, world.people["dora"]))
    directory.invite(db.session.get(Person, world.people[name]))
    assert seen_by(account_viewer(name), Invitation, Invitation.id) == set()
    assert seen_by(viewer_of("root"), Invitation, Invitation.id) == everything(Invitation.id)


@pytest.mark.parametrize("name", ["root", "charlie"])
def test_names_of_roles_are_no_secret(context, viewer_of, name):
    assert seen_by(viewer_of(name), Role, Role.name) == everything(Role.name)
