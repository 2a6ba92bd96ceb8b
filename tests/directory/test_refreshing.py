"""Refresh tokens replace each other; an old copy ends the sign-in. On both doors."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.directory.models import SignInSession
from app.foundation import clock
from app.foundation.database import db
from tests.cast import PASSWORD
from tests.visitor import apart

DOORS = {
    "published": ("/api/auth/refresh", "accessToken", "refreshToken"),
    "generated": ("/api/v1/security/refresh", "access_token", "refresh_token"),
}
FORM = {"password": "quite another long password", "conf_password": "quite another long password"}


@pytest.fixture(params=DOORS)
def door(request):
    return DOORS[request.param]


@pytest.fixture
def present(app, door):
    """`present(token)` refreshes: (status, access token, refresh token)."""
    path, access, refresh = door

    def send(token):
        answer = apart(app.test_client().post, path, headers={"Authorization": f"Bearer {token}"})
        if answer.status_code != 200:
            assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
            return 401, None, None
        assert set(answer.json) == {access, refresh}
        return 200, answer.json[access], answer.json[refresh]

    return send


@pytest.fixture
def works(app):
    def ask(access):
        headers = {"Authorization": f"Bearer {access}"}
        return apart(app.test_client().get, "/api/auth/me", headers=headers).status_code == 200

    return ask


@pytest.fixture
def sign_in(app):
    """The refresh token of a new sign-in of alice."""

    def make():
        body = {"email": "alice@example.com", "password": PASSWORD}
        return apart(app.test_client().post, "/api/auth/login", json=body).json["refreshToken"]

    return make


@pytest.fixture
def later(monkeypatch):
    """`later(90)`: so many seconds pass. Tokens check the real clock, sessions ours."""
    real, passed = clock.now, []

    def pass_by(seconds):
        passed.append(seconds)
        monkeypatch.setattr(clock, "now", lambda: real() + timedelta(seconds=sum(passed)))

    return pass_by


def reuses(app):
    with app.app_context():
        return list(db.session.scalars(select(AuditEntry).where(AuditEntry.action == "auth.refresh_reused")))


def test_each_token_replaces_the_one_before(app, present, works, sign_in, later):
    token = sign_in()
    for _ in range(5):
        status, access, successor = present(token)
        assert (status, works(access), successor != token) == (200, True, True)
        token = successor
        later(900)
    assert reuses(app) == []


def test_client_that_keeps_its_first_token_is_served_for_ever(app, present, works, sign_in, later):
    token = sign_in()
    for _ in range(5):
        status, access, _unused = present(token)
        assert (status, works(access)) == (200, True)
        later(900)
    assert reuses(app) == []


def test_thief_with_an_old_token_ends_the_sign_in(app, present, works, sign_in, later):
    stolen = sign_in()
    elsewhere = sign_in()
    _, access, second = present(stolen)
    _, fresh, third = present(second)
    later(61)
    assert works(fresh)
    assert present(stolen)[0] == 401
    assert not works(access)
    assert not works(fresh)
    for token in (second, third, stolen):
        assert present(token)[0] == 401
    assert present(elsewhere)[0] == 200
    [entry] = reuses(app)
    assert (entry.actor_email, entry.target_type) == ("alice@example.com", "account")


def test_owner_of_a_token_that_a_thief_used_ends_the_sign_in(app, present, works, sign_in, later):
    token = sign_in()
    _, _, of_thief = present(token)
    _, _, of_owner = present(token)
    _, access, next_of_thief = present(of_thief)
    later(61)
    assert works(access)
    assert present(of_owner)[0] == 401
    assert not works(access)
    assert present(next_of_thief)[0] == 401
    assert len(reuses(app)) == 1


def test_thief_of_a_later_token_is_noticed_when_the_owner_comes(app, present, sign_in, later):
    _, _, stolen = present(sign_in())
    _, _, of_owner = present(stolen)
    _, _, of_thief = present(stolen)
    later(900)
    assert present(of_thief)[0] == 200
    later(900)
    assert present(of_owner)[0] == 401
    assert len(reuses(app)) == 1


def test_two_tabs_get_through_within_a_minute(app, present, works, sign_in, later):
    token = sign_in()
    _, _, first = present(token)
    _, _, second = present(token)
    later(900)
    _, _, adopted = present(first)
    later(59)
    for late in (second, token):
        status, access, joined = present(late)
        assert (status, works(access)) == (200, True)
    later(900)
    assert present(adopted)[0] == 200
    later(30)
    assert present(joined)[0] == 200, "the late tab got a token of the same generation"
    assert reuses(app) == []


def test_lost_answer_is_asked_for_again(app, present, sign_in, later):
    _, _, token = present(sign_in())
    later(900)
    assert present(token)[0] == 200
    later(900)
    status, _, successor = present(token)
    assert status == 200
    assert present(successor)[0] == 200
    assert reuses(app) == []


def test_many_at_once_with_one_token_are_all_served(app, present, sign_in):
    token, start = sign_in(), Barrier(8)

    def send(_):
        start.wait(30)
        return present(token)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {status for status, *_ in answers} == {200}
    with ThreadPoolExecutor(7) as pool:
        start = Barrier(7)
        again = list(pool.map(lambda one: (start.wait(30), present(one[2]))[1], answers[:7]))
    assert {status for status, *_ in again} == {200}
    assert reuses(app) == []


def test_both_doors_share_one_chain(app, sign_in, later):
    token = sign_in()
    for path, _, name in (*DOORS.values(), *DOORS.values()):
        answer = apart(app.test_client().post, path, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        token = answer.json[name]
        later(900)


def log_out(app, root, alice, access):
    headers = {"Authorization": f"Bearer {access}"}
    return apart(app.test_client().post, "/api/auth/logout", headers=headers).status_code == 204


def change_the_password(app, root, alice, access):
    return root.post(f"/resetpassword/form?pk={alice.account_id}", FORM).status_code == 302


def deactivate(app, root, alice, access):
    headers = {"Authorization": f"Bearer {access}"}
    person = apart(app.test_client().get, "/api/auth/me", headers=headers).json["id"]
    return root.api("DELETE", f"people/{person}").status_code == 200


@pytest.mark.parametrize("end", [log_out, change_the_password, deactivate])
def test_ended_sign_in_gives_nothing_and_is_no_theft(app, visit, present, sign_in, end):
    token = sign_in()
    _, access, successor = present(token)
    assert end(app, visit("root"), visit("alice"), access)
    assert present(token)[0] == present(successor)[0] == 401
    assert reuses(app) == []


def test_token_from_before_the_rotation_is_good(app, present, sign_in):
    """Those carry no parent, and their session knows no token yet."""
    token = sign_in()
    with app.app_context():
        assert set(db.session.scalars(select(SignInSession.refresh_id))) == {None}
    assert present(token)[0] == 200


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "po_nothing"])
def test_what_is_no_refresh_token_is_401(present, alice, token):
    assert present(token)[0] == 401
    assert present(alice.token)[0] == 401


def test_refresh_takes_few_statements(present, sign_in, statements):
    token = present(sign_in())[2]
    with statements() as seen:
        assert present(token)[0] == 200
    assert len(seen) <= 6, seen
