"""Who calls is asked anew at every request: what changed holds from the next one on."""

import pytest
from sqlalchemy import select, update

from app.directory import callers
from app.directory.models import Account, Group, Role, SignInSession
from app.foundation.database import db
from tests.visitor import apart


@pytest.fixture
def charlie_s(context):
    return db.session.scalars(select(Account).where(Account.email == "charlie@example.com")).one()


def test_roles_come_from_the_account_and_from_its_groups(charlie_s):
    group = Group(name="helpers", label="Helpers")
    group.roles.append(db.session.scalars(select(Role).where(Role.name == "ProductAdministrator")).one())
    charlie_s.groups.append(group)
    charlie_s.roles.append(db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one())
    db.session.flush()
    found = callers.by_account(charlie_s.id)
    assert found.viewer.roles == {"ProductAdministrator", "ServiceAdministrator"}
    assert (found.viewer.name, found.viewer.email) == ("Charlie", "charlie@example.com")


def test_session_that_ended_or_an_account_that_closed_opens_nothing(charlie_s):
    db.session.add(SignInSession(id="one", account_id=charlie_s.id))
    db.session.flush()
    assert callers.by_session(charlie_s.id, "one").id == charlie_s.id
    assert callers.by_session(charlie_s.id + 1, "one") is None
    assert callers.by_session(charlie_s.id, None) is None
    charlie_s.active = False
    db.session.flush()
    assert callers.by_session(charlie_s.id, "one") is None
    charlie_s.active = True
    db.session.execute(update(SignInSession).values(ended_at=db.func.now()))
    assert callers.by_session(charlie_s.id, "one") is None


def test_role_that_is_taken_is_gone_at_the_next_request(root, alice, world):
    assert alice.api("GET", "people/").status_code == 200
    headers = {"Authorization": f"Bearer {root.token}"}
    path = f"/api/users/{world.people['alice']}/permissions"
    assert apart(root.client.put, path, json={"roles": []}, headers=headers).status_code == 204
    assert alice.api("GET", "people/").status_code == 403
