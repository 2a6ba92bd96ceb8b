"""An invitation: a link that lets one person set a password, once and for some days."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.directory.models import Invitation
from app.foundation import clock
from app.foundation.database import db
from tests.directory.sessions import NEW_PASSWORD, get_token, is_signed_in
from tests.visitor import Visitor


@pytest.fixture
def invite(root, world):
    """The path of a new invitation link for somebody."""

    def make(name: str = "dora") -> str:
        page = root.post(f"/people/{world.people[name]}/invite")
        assert page.status_code == 200
        return re.search(r"/invitation/[\w-]+", page.text)[0]

    return make


def accept(visitor: Visitor, link: str, password: str = NEW_PASSWORD):
    return visitor.post(link, {"password": password, "again": password})


def test_invitation_link_lets_somebody_in_once(app, visit, invite):
    link = invite()
    dora, other = visit(), visit()
    assert dora.get(link).status_code == 200
    assert accept(dora, link).status_code == 302
    assert is_signed_in(dora)
    assert get_token(app, "dora@example.com", NEW_PASSWORD).status_code == 200
    assert other.get(link).status_code == 404
    assert accept(other, link, "a third long password").status_code == 404
    assert get_token(app, "dora@example.com", NEW_PASSWORD).status_code == 200


def test_invitation_link_gets_too_old(nobody, invite, context):
    link = invite()
    invitation = db.session.scalars(select(Invitation)).one()
    invitation.expires_at = clock.now() - timedelta(seconds=1)
    db.session.commit()
    assert nobody.get(link).status_code == 404
    assert accept(nobody, link).status_code == 404


def test_new_invitation_ends_the_older(nobody, invite):
    older, newer = invite(), invite()
    assert nobody.get(older).status_code == 404
    assert nobody.get(newer).status_code == 200


def test_invitation_of_somebody_who_left_is_void(root, nobody, invite, world):
    link = invite()
    root.api("DELETE", f"people/{world.people['dora']}")
    assert nobody.get(link).status_code == 404
    assert root.post(f"/people/{world.people['dora']}/invite").status_code == 409


@pytest.mark.parametrize("password", ["short", "dora@example.com"])
def test_bad_password_leaves_the_invitation_open(nobody, invite, password):
    link = invite()
    assert accept(nobody, link, password).status_code == 422
    assert accept(nobody, link).status_code == 302


def test_invitation_is_kept_as_a_hash_only(invite, context):
    token = invite().rpartition("/")[2]
    for table in db.metadata.tables:
        rows = "\n".join(db.session.scalars(text(f'SELECT t::text FROM "{table}" t')))
        assert token not in rows, table


@pytest.mark.parametrize("name", ["alice", "bob", "charlie", None])
def test_invitation_is_made_by_admins_only(visit, world, name, context):
    answer = visit(name).post(f"/people/{world.people['dora']}/invite")
    assert answer.status_code == (403 if name else 302)
    assert db.session.scalar(select(func.count(Invitation.id))) == 0


def test_made_up_invitation_is_not_found(nobody):
    for token in ("x", "A" * 43, "%00", "..%2f..", "A" * 5000):
        assert nobody.get(f"/invitation/{token}").status_code in {400, 404}
