"""Personal API tokens: at most their owner's rights, within their scopes, for their time, on both APIs."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.directory import callers
from app.directory import operations as directory
from app.directory.models import Account, Person
from app.directory.token_models import ApiToken
from app.foundation import clock
from app.foundation.database import db
from tests.visitor import apart

PUBLISHED = "/api/auth/tokens"


@pytest.fixture
def call(app):
    """A request with any bearer token."""

    def make(method: str, path: str, token: str | None, body=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return apart(app.test_client().open, path, method=method, json=body, headers=headers)

    return make


@pytest.fixture
def make(visit, call):
    """A token of somebody, made as people make them: `make("alice", "read")` answers its secret."""

    def create(name: str, *scopes: str, days: int = 30) -> str:
        body = {
            "name": "Script",
            "scopes": list(scopes),
            "expiresOn": str(clock.today() + timedelta(days=days)),
        }
        answer = call("POST", PUBLISHED, visit(name).token, body)
        assert answer.status_code == 201, answer.text
        return answer.json["token"]

    return create


def test_secret_is_long_shown_once_and_kept_nowhere(call, make, alice, context):
    secret = make("alice", "read")
    assert re.fullmatch(r"po_[\w-]{40}", secret)
    listed = call("GET", PUBLISHED, alice.token)
    assert secret not in listed.text
    assert set(listed.json[0]) == {
        "id", "name", "owner", "scopes", "state", "expiresOn", "createdAt", "lastUsedAt", "revokedAt"
    }  # fmt: skip
    for table in db.metadata.tables:
        rows = "\n".join(db.session.scalars(text(f'SELECT t::text FROM "{table}" t')))
        assert secret not in rows, table
        assert secret[3:] not in rows, table


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [
        (["read"], 200, 403),
        (["write"], 403, 201),
        (["read", "write"], 200, 201),
        (["services:read"], 200, 403),
        (["services:write"], 403, 201),
        (["products:read", "products:write"], 403, 403),
    ],
)
def test_scopes_are_enforced_on_both_apis(call, make, scopes, reads, writes):
    secret = make("root", *scopes)
    for number, path in enumerate(("/api/services", "/api/v1/services/")):
        assert call("GET", path, secret).status_code == reads
        assert call("POST", path, secret, {"name": f"New {number}"}).status_code == writes


def test_resource_scope_opens_nothing_else(call, make):
    secret = make("root", "services:read", "services:write")
    for path in ("/api/users", "/api/v1/people/", "/api/audit-logs", "/api/auth/me", "/api/v1/tasks/"):
        assert call("GET", path, secret).status_code in {403, 404}, path
    assert call("GET", "/api/v1/services/_info", secret).status_code == 200


def test_token_is_its_owner_and_no_more(call, make, alice, world):
    secret = make("alice", "read", "write")
    assert call("GET", "/api/auth/me", secret).json == call("GET", "/api/auth/me", alice.token).json
    for path in ("/api/services", "/api/v1/services/", "/api/v1/tasks/", "/api/inbox/tasks"):
        assert call("GET", path, secret).json == call("GET", path, alice.token).json
    assert call("GET", "/api/audit-logs", secret).status_code == 403
    assert call("GET", f"/api/services/{world.services['Slack']}", secret).status_code == 404
    assert call("DELETE", f"/api/users/{world.people['bob']}", secret).status_code == 403


def test_employee_s_token_opens_what_the_employee_may(call, make):
    secret = make("charlie", "read")
    assert call("GET", "/api/inbox/tasks", secret).status_code == 200
    assert call("GET", "/api/services", secret).status_code == 403


def test_lost_role_counts_at_once(call, make, alice, root, context):
    secret = make("alice", "read")
    assert call("GET", "/api/services", secret).status_code == 200
    account = db.session.get(Account, alice.account_id)
    account.roles = []
    db.session.commit()
    assert call("GET", "/api/services", secret).status_code == 403


def revoke(token, account):
    directory.revoke_token(token)


def expire(token, account):
    token.expires_on = clock.today() - timedelta(days=1)


def close(token, account):
    directory.close_sign_in(db.session.scalars(select(Person).where(Person.account_id == account.id)).one())


@pytest.mark.parametrize("end", [revoke, expire, close])
def test_ended_token_is_401_at_once_on_both_apis(call, make, context, end):
    secret = make("alice", "read", "write")
    token = db.session.scalars(select(ApiToken)).one()
    end(token, token.account)
    db.session.commit()
    for path in ("/api/services", "/api/v1/services/", "/api/auth/me"):
        answer = call("GET", path, secret)
        assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("secret", ["po_", "po_x", "po_" + "A" * 40, "po_" + "A" * 5000, "po_\u00e9"])
def test_unknown_token_is_401(call, make, secret):
    make("root", "read")
    for path in ("/api/services", "/api/v1/services/", "/api/auth/me"):
        assert call("GET", path, secret).status_code == 401


def test_last_day_counts_whole(call, make):
    assert call("GET", "/api/auth/me", make("alice", "read", days=0)).status_code == 200


def test_token_makes_no_tokens_and_ends_no_session(call, make, context):
    secret = make("root", "read", "write")
    body = {"name": "More", "scopes": ["write"], "expiresOn": str(clock.today())}
    key = db.session.scalars(select(ApiToken.id)).one()
    for method, path, sent in (
        ("GET", PUBLISHED, None),
        ("POST", PUBLISHED, body),
        ("DELETE", f"{PUBLISHED}/{key}", None),
        ("POST", "/api/auth/logout", None),
        ("POST", "/api/auth/refresh", None),
        ("POST", "/api/v1/security/refresh", None),
    ):
        assert call(method, path, secret, sent).status_code == 401, path
    assert call("GET", "/api/auth/me", secret).status_code == 200


def test_token_opens_no_page(app, make):
    headers = {"Authorization": f"Bearer {make('root', 'read', 'write')}"}
    for path in ("/me/", "/me/tokens/", "/services/list/"):
        assert apart(app.test_client().get, path, headers=headers).status_code == 302


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"scopes": ["ghosts:read"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"expiresOn": None}, "expires_on"),
        ({"expiresOn": "2001-01-01"}, "expires_on"),
        ({"expiresOn": "2999-01-01"}, "expires_on"),
    ],
)
def test_bad_token_is_refused_at_its_field(call, alice, change, field):
    body = {"name": "Script", "scopes": ["read"], "expiresOn": str(clock.today()), **change}
    answer = call("POST", PUBLISHED, alice.token, body)
    assert answer.status_code == 422
    assert field in {one["field"].partition(".")[0] for one in answer.json["detail"]}


def test_one_sees_and_revokes_one_s_own_and_admins_everybody_s(call, make, alice, bob, root, context):
    secret = make("alice", "read")
    key = db.session.scalars(select(ApiToken.id)).one()
    assert call("GET", PUBLISHED, bob.token).json == []
    assert call("DELETE", f"{PUBLISHED}/{key}", bob.token).status_code == 404
    assert bob.post(f"/me/tokens/{key}/revoke").status_code == 404
    assert call("GET", "/api/auth/me", secret).status_code == 200
    assert [one["owner"] for one in call("GET", PUBLISHED, root.token).json] == ["alice@example.com"]
    assert call("DELETE", f"{PUBLISHED}/{key}", root.token).status_code == 204
    assert call("GET", "/api/auth/me", secret).status_code == 401
    assert call("DELETE", f"{PUBLISHED}/{key}", alice.token).status_code == 204
    assert call("GET", PUBLISHED, None).status_code == 401


def test_use_is_written_once_a_minute(call, make, statements, monkeypatch, context):
    secret = make("alice", "read")

    def writes() -> int:
        with statements() as seen:
            assert call("GET", "/api/auth/me", secret).status_code == 200
        return len([one for one in seen if one.startswith("UPDATE api_tokens")])

    assert [writes() for _ in range(3)] == [1, 0, 0]
    later = clock.now() + timedelta(seconds=61)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [writes() for _ in range(2)] == [1, 0]
    db.session.expire_all()
    assert db.session.scalars(select(ApiToken)).one().last_used_at == later


def test_token_costs_no_more_statements_than_a_session(call, make, alice, statements):
    secret = make("alice", "read")
    counts = []
    for token in (secret, secret, alice.token):
        with statements() as seen:
            call("GET", "/api/services", token)
        counts.append(len(seen))
    assert counts[1] == counts[2]


def test_lookup_takes_one_statement_on_a_unique_index(make, context, statements):
    secret = make("alice", "read")
    with statements() as seen:
        found = callers.by_token(secret)
    assert found.viewer.email == "alice@example.com"
    assert len(seen) == 1
    db.session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = db.session.scalars(text("EXPLAIN SELECT id FROM api_tokens WHERE token_hash = '\\x00'"))
    assert "uq_api_tokens_token_hash" in "\n".join(plan)


def test_making_and_revoking_is_audited_without_the_secret(call, make, alice, context):
    secret = make("alice", "read")
    call("GET", "/api/auth/me", secret)
    token = db.session.scalars(select(ApiToken)).one()
    call("DELETE", f"{PUBLISHED}/{token.id}", alice.token)
    entries = list(
        db.session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("api_token.%")).order_by(AuditEntry.id)
        )
    )
    assert [entry.action for entry in entries] == ["api_token.create", "api_token.update"]
    assert {entry.actor_email for entry in entries} == {"alice@example.com"}
    assert entries[0].after["scopes"] == ["read"]
    assert entries[0].after["token_hash"] == "(hidden)"
    assert set(entries[1].after) == {"revoked_at"}
    everything = "\n".join(db.session.scalars(text("SELECT a::text FROM audit_logs a")))
    assert secret not in everything
    assert token.token_hash.hex() not in everything


def test_page_makes_shows_once_and_revokes(call, charlie, context):
    assert "/me/tokens/" in charlie.get("/me/").text
    assert "No tokens yet" in charlie.get("/me/tokens/").text
    form = {"name": "Report <b>", "scopes": ["read", "tasks:write"], "expires_on": str(clock.today())}
    page = charlie.post("/me/tokens/", form)
    assert page.status_code == 200
    secret = re.search(r"po_[\w-]{40}", page.text)[0]
    assert call("GET", "/api/auth/me", secret).status_code == 200
    again = charlie.get("/me/tokens/")
    assert secret not in again.text
    assert "Report &lt;b&gt;" in again.text
    assert "tasks:write" in again.text
    key = db.session.scalars(select(ApiToken.id)).one()
    assert charlie.post(f"/me/tokens/{key}/revoke").status_code == 302
    assert call("GET", "/api/auth/me", secret).status_code == 401
    assert "Revoked" in charlie.get("/me/tokens/").text


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": ""}, "name"), ({"scopes": []}, "scopes"), ({"scopes": ["x"]}, "scopes"),
     ({"expires_on": ""}, "expires_on"), ({"expires_on": "2999-01-01"}, "expires_on")],
)  # fmt: skip
def test_page_says_what_is_wrong_at_the_field(charlie, change, field):
    form = {"name": "Report", "scopes": ["read"], "expires_on": str(clock.today()), **change}
    page = charlie.post("/me/tokens/", form)
    assert page.status_code == 422
    assert f'id="{field}-error"' in page.text
    assert "po_" not in page.text


def test_token_sets_no_password(call, make, root, world):
    secret, path = make("root", "write"), f"/api/users/{world.people['charlie']}"
    body = {"name": "Charlie", "password": "violet tractor harbour nine"}
    assert call("PUT", path, secret, body).status_code == 401
    assert call("POST", "/api/users", secret, {**body, "email": "new@example.com"}).status_code == 401
    assert call("PUT", path, secret, {"position": "Clerk"}).status_code == 200
    assert call("PUT", path, root.token, body).status_code == 200


def test_account_that_opens_again_brings_no_token_back(call, make, context):
    secret = make("charlie", "read")
    charlie = db.session.scalars(select(Person).where(Person.name == "Charlie")).one()
    directory.deactivate_person(charlie)
    directory.reactivate_person(charlie)
    directory.open_sign_in(charlie)
    db.session.commit()
    assert call("GET", "/api/auth/me", secret).status_code == 401
