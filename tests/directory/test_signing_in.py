"""Signing in, staying signed in and being signed out: on the page, by token, by link, and by what others do."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Account, Group, Invitation, Person, Role, SignInSession
from app.foundation import clock
from app.foundation.database import db
from tests.cast import PASSWORD
from tests.visitor import Visitor

WRONG = "not the password at all"
NEW_PASSWORD = "quite another long password"


def sign_in(visitor: Visitor, email: str, password: str = PASSWORD, path: str = "/login/", **options):
    return visitor.post(path, {"username": email, "password": password}, **options)


def get_token(app, email: str, password: str = PASSWORD, **more):
    body = {"username": email, "password": password, "provider": "db", **more}
    return app.test_client().post("/api/v1/security/login", json=body)


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/me/").status_code == 200


def token_works(visitor: Visitor) -> bool:
    status = visitor.api("GET", "notifications/").status_code
    assert status in {200, 401}
    return status == 200


@pytest.fixture
def failing(app, world) -> list[tuple[str, str]]:
    """E-mail and password of everybody who can't sign in, each for another reason."""
    with app.app_context():
        dora = db.session.get(Person, world.people["dora"])
        directory.ensure_account(dora)
        bob = db.session.get(Person, world.people["bob"])
        directory.close_sign_in(bob)
        db.session.commit()
    return [
        ("nobody@example.com", PASSWORD),
        ("alice@example.com", WRONG),
        ("dora@example.com", PASSWORD),
        ("bob@example.com", PASSWORD),
        ("", PASSWORD),
        ("alice@example.com'--", PASSWORD),
    ]


def test_every_failure_on_the_page_has_one_answer(visit, failing):
    answers = set()
    for email, password in failing:
        answer = sign_in(visit(), email, password)
        page = re.sub(r'nonce="[^"]*"|value="[^"]*"|\b[0-9a-f]{16}\b', "", answer.text)
        answers.add((answer.status_code, page if email else ""))
    assert {status for status, _ in answers} == {401}
    assert len({page for _, page in answers if page}) == 1


def test_every_failure_by_api_has_one_answer(app, failing):
    answers = {
        (answer.status_code, answer.text)
        for email, password in failing
        if email
        for answer in [get_token(app, email, password)]
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401


def test_password_that_no_column_can_hold_is_refused(app, nobody):
    for text_ in ("\x00", "\ud800", "x" * 100_000):
        assert get_token(app, "alice@example.com", text_).status_code in {400, 401}
    assert sign_in(nobody, "alice@example.com", "\x00").status_code in {400, 401}


@pytest.mark.parametrize("provider", ["ldap", "oauth", "", None, 7])
def test_other_providers_are_refused_and_break_nothing(app, provider):
    answer = app.test_client().post(
        "/api/v1/security/login",
        json={"username": "alice@example.com", "password": PASSWORD, "provider": provider},
    )
    assert answer.status_code in {400, 401}


@pytest.mark.parametrize("email", ["alice@example.com", "ALICE@example.COM", "  Alice@Example.com "])
def test_email_is_taken_in_any_case(app, nobody, email):
    assert sign_in(nobody, email).status_code == 302
    assert is_signed_in(nobody)
    assert get_token(app, email).status_code == 200


def test_signed_in_person_is_sent_on(alice):
    answer = alice.get("/login/?next=/notices/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/notices/")


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


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Bearer", "\u00e9"])
def test_broken_token_is_401_in_our_shape(app, token):
    headers = {"Authorization": f"Bearer {token}"}
    answer = app.test_client().get("/api/v1/people/", headers=headers)
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_token_of_another_kind_or_key_is_401(app):
    given = get_token(app, "alice@example.com", refresh=True).json
    for token in (given["refresh_token"], given["access_token"][:-4] + "AAAA"):
        headers = {"Authorization": f"Bearer {token}"}
        assert app.test_client().get("/api/v1/people/", headers=headers).status_code == 401
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert app.test_client().post("/api/v1/security/refresh", headers=headers).status_code == 401


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


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "///evil.example",
        "https://evil.example/",
        "http://evil.example",
        "http:evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http://localhost//evil.example",
        "http://localhost/\\evil.example",
        "%09//evil.example",
        "http://localhost@evil.example/",
    ],
)
def test_next_never_leads_to_another_site(nobody, target):
    answer = sign_in(nobody, "alice@example.com", path=f"/login/?next={target}")
    assert answer.status_code == 302
    assert re.match(r"/(?![/\\])|http://localhost/(?![/\\])", answer.headers["Location"])
    again = nobody.get(f"/login/?next={target}")
    assert re.match(r"/(?![/\\])|http://localhost/(?![/\\])", again.headers["Location"])


def test_foreign_host_header_leads_nowhere_else(nobody):
    answer = sign_in(
        nobody,
        "alice@example.com",
        path="/login/?next=http://evil.example/x",
        headers={"Host": "evil.example"},
    )
    assert answer.status_code == 400 or re.match(r"/(?![/\\])", answer.headers.get("Location", "/"))


def test_next_leads_back_to_the_page_that_was_asked_for(nobody):
    asked = nobody.get("/notices/?x=1")
    assert asked.status_code == 302
    answer = sign_in(nobody, "alice@example.com", path=asked.headers["Location"])
    assert answer.headers["Location"].removeprefix("http://localhost") == "/notices/?x=1"


# Mail programs post there without a page (RFC 8058); the signed address is all that it takes, whoever is signed in.
ONE_CLICK = "/unsubscribe/"


def test_form_without_csrf_token_is_refused(app, root):
    posts = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in rule.methods and not rule.rule.startswith(("/api/", ONE_CLICK))
    ]
    assert "/logout/" in posts
    for path in posts:
        answer = root.client.post(re.sub(r"<[^>]*>", "1", path), data={"csrf_token": "wrong"})
        assert answer.status_code == 400, path
        assert root.client.post(re.sub(r"<[^>]*>", "1", path)).status_code == 400, path
    assert is_signed_in(root)


def test_cookie_opens_no_api(app, root):
    """So no other site can make a browser call it, and no CSRF token is needed there."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and "security" not in rule.rule:
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                path = re.sub(r"<[^>]*>", "1", rule.rule)
                assert root.client.open(path, method=method, json={}).status_code == 401, (method, path)


def log_of(context) -> list[AuditEntry]:
    db.session.expire_all()
    return list(
        db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("auth.%")).order_by(AuditEntry.id))
    )


def test_sign_ins_are_audited_without_the_password(app, nobody, context):
    sign_in(nobody, "alice@example.com", WRONG)
    sign_in(nobody, "nobody@example.com", WRONG)
    sign_in(nobody, "alice@example.com")
    nobody.post("/logout/")
    get_token(app, "alice@example.com", WRONG)
    get_token(app, "alice@example.com")
    entries = log_of(context)
    assert [entry.action for entry in entries] == [
        "auth.login_failed",
        "auth.login_failed",
        "auth.login",
        "auth.logout",
        "auth.login_failed",
        "auth.login",
    ]
    assert entries[2].actor_email == "alice@example.com"
    assert {entry.address for entry in entries} == {"127.0.0.1"}
    everything = "\n".join(db.session.scalars(text("SELECT a::text FROM audit_logs a")))
    assert WRONG not in everything
    assert PASSWORD not in everything
    assert "scrypt:" not in everything


def test_password_change_is_audited_without_the_password(alice, context):
    alice.post("/resetmypassword/form", {"password": NEW_PASSWORD, "conf_password": NEW_PASSWORD})
    query = select(AuditEntry).where(AuditEntry.action == "account.update").order_by(AuditEntry.id.desc())
    entry = db.session.scalars(query).first()
    assert entry.after == {"password": "(hidden)"}
    everything = "\n".join(db.session.scalars(text("SELECT a::text FROM audit_logs a")))
    assert NEW_PASSWORD not in everything
    assert "scrypt:" not in everything


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


def test_lost_role_counts_at_once(root, alice, world):
    assert alice.get("/services/list/").status_code == 200
    assert root.post(f"/people/{world.people['alice']}/access", {}).status_code == 302
    assert alice.get("/services/list/").status_code == 403
    assert alice.api("GET", "services/").status_code == 403


def test_session_says_where_it_was_opened(nobody, context):
    sign_in(nobody, "alice@example.com", headers={"User-Agent": "A browser"})
    opened = db.session.scalars(select(SignInSession).order_by(SignInSession.created_at.desc())).first()
    assert (opened.address, opened.client, opened.ended_at) == ("127.0.0.1", "A browser", None)
