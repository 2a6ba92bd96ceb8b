"""Being signed out: by oneself, by a new password, and by what others do. It counts at once, for cookies and tokens."""

import pytest

from tests.directory.sessions import NEW_PASSWORD, get_token, is_signed_in, token_works
from tests.visitor import Visitor


def test_logout_by_get_is_not_allowed(alice):
    assert alice.get("/logout/").status_code == 405
    assert is_signed_in(alice)


def test_logout_ends_the_cookie_and_the_token_of_its_session(app, alice):
    kept = Visitor(app, None)
    kept.client.set_cookie("portalops", alice.client.get_cookie("portalops").value)
    assert is_signed_in(kept)
    assert token_works(alice)
    assert alice.post("/logout/").status_code == 302
    assert not is_signed_in(alice)
    assert not is_signed_in(kept)
    assert not token_works(alice)


def test_logout_leaves_other_sessions_alone(visit, alice):
    elsewhere = visit("alice")
    alice.post("/logout/")
    assert is_signed_in(elsewhere)
    assert token_works(elsewhere)


def test_refresh_token_ends_with_its_session(app, root, world):
    given = get_token(app, "alice@example.com", refresh=True).json
    refresh = {"Authorization": f"Bearer {given['refresh_token']}"}
    again = app.test_client().post("/api/v1/security/refresh", headers=refresh)
    assert again.status_code == 200
    fresh = {"Authorization": f"Bearer {again.json['access_token']}"}
    assert app.test_client().get("/api/v1/notifications/", headers=fresh).status_code == 200
    root.api("DELETE", f"people/{world.people['alice']}")
    assert app.test_client().get("/api/v1/notifications/", headers=fresh).status_code == 401
    assert app.test_client().post("/api/v1/security/refresh", headers=refresh).status_code == 401


def deactivate_by_api(root, person_id, account_id, hr):
    return root.api("DELETE", f"people/{person_id}").status_code == 200


def deactivate_by_put(root, person_id, account_id, hr):
    return root.api("PUT", f"people/{person_id}", {"active": False}).status_code == 200


def deactivate_on_the_page(root, person_id, account_id, hr):
    return root.post(f"/people/delete/{person_id}").status_code == 302


def deactivate_in_the_form(root, person_id, account_id, hr):
    form = {"name": "Alice", "email": "alice@example.com"}
    return root.post(f"/people/edit/{person_id}", form).status_code == 302


def close_the_account(root, person_id, account_id, hr):
    email = "alice@example.com"
    form = {"first_name": "Alice", "last_name": "-", "username": email, "email": email, "roles": "2"}
    return root.post(f"/users/edit/{account_id}", form).status_code == 302


def delete_the_account(root, person_id, account_id, hr):
    return root.post(f"/users/delete/{account_id}").status_code == 302


def leave_today(root, person_id, account_id, hr):
    return hr("offboarding", email="alice@example.com").status_code == 202


def reset_the_password(root, person_id, account_id, hr):
    form = {"password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    return root.post(f"/resetpassword/form?pk={account_id}", form).status_code == 302


@pytest.mark.parametrize(
    "end",
    [
        deactivate_by_api,
        deactivate_by_put,
        deactivate_on_the_page,
        deactivate_in_the_form,
        close_the_account,
        delete_the_account,
        leave_today,
        reset_the_password,
    ],
)
def test_every_session_ends_at_once(root, visit, world, hr, end):
    browser, script = visit("alice"), visit("alice")
    assert end(root, world.people["alice"], browser.account_id, hr)
    for visitor in (browser, script):
        assert not is_signed_in(visitor)
        assert not token_works(visitor)


def test_own_password_change_ends_every_session(app, visit, alice):
    other = visit("alice")
    form = {"password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert alice.post("/resetmypassword/form", form).status_code == 302
    for visitor in (alice, other):
        assert not is_signed_in(visitor)
        assert not token_works(visitor)
    assert get_token(app, "alice@example.com").status_code == 401
    assert get_token(app, "alice@example.com", NEW_PASSWORD).status_code == 200


@pytest.mark.parametrize("password", ["short", "alice@example.com", "x" * 2000])
def test_bad_new_password_is_refused_and_ends_nothing(alice, password):
    answer = alice.post("/resetmypassword/form", {"password": password, "conf_password": password})
    assert answer.status_code in {200, 422}
    assert is_signed_in(alice)


def test_someone_elses_password_cannot_be_set(alice, bob, app):
    form = {"password": NEW_PASSWORD, "conf_password": NEW_PASSWORD}
    assert alice.post(f"/resetpassword/form?pk={bob.account_id}", form).status_code == 403
    alice.post(f"/resetmypassword/form?pk={bob.account_id}", form)
    assert is_signed_in(bob)
    assert get_token(app, "bob@example.com").status_code == 200


def test_lost_role_counts_at_once(root, alice, world):
    assert alice.get("/services/list/").status_code == 200
    assert root.post(f"/people/{world.people['alice']}/access", {}).status_code == 302
    assert alice.get("/services/list/").status_code == 403
    assert alice.api("GET", "services/").status_code == 403
