"""Signing in, staying signed in and being signed out: on the page, by token, by link, and by what others do."""

import re

import pytest
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Person, SignInSession
from app.foundation.database import db
from tests.cast import PASSWORD
from tests.directory.sessions import NEW_PASSWORD, WRONG, get_token, is_signed_in, sign_in


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


def test_session_says_where_it_was_opened(nobody, context):
    sign_in(nobody, "alice@example.com", headers={"User-Agent": "A browser"})
    opened = db.session.scalars(select(SignInSession).order_by(SignInSession.created_at.desc())).first()
    assert (opened.address, opened.client, opened.ended_at) == ("127.0.0.1", "A browser", None)
