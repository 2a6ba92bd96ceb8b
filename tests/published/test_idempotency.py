"""A POST that is sent again under the same key happens once, on both APIs."""

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask_appbuilder.api import BaseApi
from sqlalchemy import text

from app.foundation import clock, idempotency
from app.foundation.database import db
from app.foundation.openapi.published import routes_of
from app.foundation.published import PublishedApi
from tests.visitor import apart

KEY = "2031-03-01 import, row 17"
NOTION = {"name": "Notion", "url": "https://www.notion.so"}

# POSTs that take no key, and why.
TAKES_NONE = {
    "AuthApi.login": "its answer holds tokens, which are kept nowhere",
    "AuthApi.refresh": "its answer holds tokens; a lost answer may be asked for again for a minute",
    "AuthApi.logout": "twice is no mistake",
    "TokensApi.create": "its answer holds a secret, which is kept nowhere",
}


@pytest.fixture
def ask(app, visit):
    """`ask("/services", body, "alice", key="x")` posts as somebody; other headers by name."""
    visitors = {}

    def send(path, body, name="root", key=KEY, token=None, **headers):
        if name not in visitors:
            visitors[name] = visit(name)
        sent = {"Authorization": f"Bearer {token or visitors[name].token}"}
        sent |= {"Idempotency-Key": key} if key is not None else {}
        return apart(app.test_client().post, f"/api{path}", json=body, headers={**sent, **headers})

    return send


@pytest.fixture
def count(app):
    def how_many(table="services", where="true"):
        with app.app_context():
            return db.session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"))

    return how_many


@pytest.fixture
def sql(app):
    def run(statement):
        with app.app_context():
            db.session.execute(text(statement))
            db.session.commit()

    return run


def is_replay(first, again):
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (first.status_code, first.data)
    for name in ("ETag", "Content-Type", "Location"):
        assert again.headers.get(name) == first.headers.get(name)
    return True


def posts(world):
    service = world.services["Slack"]
    return {
        "/users": {"name": "Eve", "email": "eve@example.com", "password": "quite a long password"},
        "/services": NOTION,
        f"/services/{service}/products": {"name": "Slack Free"},
        "/products": {"name": "Slack Pro", "serviceId": str(service)},
        "/v1/services/": {"name": "Figma"},
        "/v1/products/": {"name": "Slack Max", "service_id": service},
        "/v1/people/": {"name": "Kim", "email": "kim@example.com"},
        "/v1/departments/": {"name": "Legal"},
        "/v1/access-templates/": {"name": "All", "product_ids": [world.products["Gmail"]]},
    }


def test_same_request_again_makes_nothing_and_gets_the_same_answer(ask, count, world):
    for path, body in posts(world).items():
        first = ask(path, body)
        assert first.status_code == 201, (path, first.text)
        tables = [count(table) for table in ("services", "products", "users", "audit_logs", "outbox")]
        assert is_replay(first, ask(path, body))
        assert is_replay(first, ask(path.rstrip("/") + "/", body))
        assert tables == [count(table) for table in ("services", "products", "users", "audit_logs", "outbox")]


def test_answer_made_before_the_commit_is_what_is_read_after_it(app, ask, root, world):
    for path, body in posts(world).items():
        made = ask(path, body)
        if "/v1/" in path:
            read = root.api("GET", f"{path.removeprefix('/v1/')}{made.json['id']}")
            shown = made.json["result"]
            assert {name: read.json["result"][name] for name in shown} == shown
        else:
            headers = {"Authorization": f"Bearer {root.token}"}
            read = apart(app.test_client().get, f"/api{path}/{made.json['id']}", headers=headers)
            assert (read.json, read.headers["ETag"]) == (made.json, made.headers["ETag"])


def test_other_body_under_the_same_key_is_a_conflict(ask, count):
    assert ask("/services", NOTION).status_code == 201
    for body in ({**NOTION, "vendor": "x"}, {}, [], "text"):
        refused = ask("/services", body)
        assert (refused.status_code, refused.json["error"]) == (409, "conflict")
        assert "another body" in refused.json["message"]
    assert count(where="name IN ('Notion', '')") == 1


def test_key_is_of_one_account_one_path_and_one_method(ask, count, world):
    github = world.services["GitHub"]
    assert ask("/services", NOTION).status_code == 201
    assert ask("/services", {"name": "Of alice"}, "alice").status_code == 201
    for path in (f"/services/{github}/products", f"/services/{world.services['Slack']}/products"):
        assert ask(path, {"name": "Twin"}).status_code == 201
    assert count("products", "name = 'Twin'") == 2
    assert ask("/services", NOTION, key=KEY + "!").status_code == 409


@pytest.mark.parametrize("path", ["/services", "/v1/services/"])
def test_twenty_at_once_make_one(ask, count, path):
    start = Barrier(20)
    assert ask("/users", {"name": "x"}, key=None).status_code == 422  # signs root in

    def send(_):
        start.wait(30)
        return ask(path, NOTION)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(send, range(20)))
    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert count(where="name = 'Notion'") == 1
    assert count("audit_logs", "action = 'service.create' AND target_label = 'Notion'") == 1


def test_refusal_is_not_kept(ask, count, sql):
    taken = {"name": "Slack"}
    for status in (409, 409):
        refused = ask("/services", taken)
        assert (refused.status_code, "another body" in refused.text) == (status, False)
    assert count("idempotency_keys") == 0
    assert ask("/services", {}).status_code == 422
    sql("UPDATE services SET name = 'Slack (old)' WHERE name = 'Slack'")
    first = ask("/services", taken)
    assert first.status_code == 201
    assert is_replay(first, ask("/services", taken))


def test_key_ends_after_a_day(app, ask, count, monkeypatch):
    first = ask("/services", NOTION)
    real = clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=23, minutes=59))
    with app.app_context():
        assert idempotency.prune() == "0 forgotten"
        db.session.commit()
    assert "Idempotency-Replayed" in ask("/services", NOTION).headers
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=24, seconds=1))
    late = ask("/services", {"name": "Notion, a day later"})
    assert (late.status_code, late.json["id"] != first.json["id"]) == (201, True)
    assert is_replay(late, ask("/services", {"name": "Notion, a day later"}))
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(hours=49))
    with app.app_context():
        assert idempotency.prune() == "1 forgotten"
        db.session.commit()
    assert count("idempotency_keys") == 0


def test_rights_are_asked_for_at_a_replay(ask, root, world, sql):
    assert ask("/services", NOTION, "alice").status_code == 201
    assert ask("/v1/services/", {"name": "Figma"}, "alice").status_code == 201
    sql("DELETE FROM ab_user_role WHERE user_id = (SELECT id FROM ab_user WHERE email = 'alice@example.com')")
    for path, body in (("/services", NOTION), ("/v1/services/", {"name": "Figma"})):
        assert ask(path, body, "alice").status_code == 403
    root.api("DELETE", f"people/{world.people['alice']}")
    assert ask("/services", NOTION, "alice").status_code == 401
    assert ask("/services", NOTION, "bob").status_code == 403


def test_personal_token_replays_as_long_as_it_may(ask, root, world):
    def token(*scopes):
        body = {"name": "Import", "scopes": list(scopes), "expiresOn": clock.today().isoformat()}
        return ask("/auth/tokens", body, key=None).json["token"]

    first = ask("/services", NOTION, token=token("services:write"))
    assert first.status_code == 201
    assert is_replay(first, ask("/services", NOTION, token=token("write")))
    for scopes in (["read"], ["services:read"], ["products:write"]):
        assert ask("/services", NOTION, token=token(*scopes), key=KEY).status_code == 403


def test_answers_that_hold_secrets_are_not_kept(ask, count):
    body = {"name": "Import", "scopes": ["read"], "expiresOn": clock.today().isoformat()}
    first, second = ask("/auth/tokens", body), ask("/auth/tokens", body)
    assert first.json["token"] != second.json["token"]
    assert count("idempotency_keys") == 0


def test_password_in_a_body_can_not_be_guessed_from_what_is_kept(app, ask, world):
    ask("/users", posts(world)["/users"])
    with app.app_context():
        [kept] = db.session.execute(text("SELECT k::text FROM idempotency_keys k")).scalars()
        digest = db.session.scalar(text("SELECT encode(body_digest, 'hex') FROM idempotency_keys"))
    sent = app.json.dumps(posts(world)["/users"]).encode()
    assert "quite a long password" not in kept
    assert digest != hashlib.sha256(sent).hexdigest()


FAIL_AT_COMMIT = """
    CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$;
    CREATE CONSTRAINT TRIGGER fail AFTER {event} DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION fail()
"""


@pytest.mark.parametrize("path", ["/services", "/v1/services/"])
@pytest.mark.parametrize("event", ["INSERT ON services", "UPDATE ON idempotency_keys"])
@pytest.mark.parametrize("refusal", [("23514", 422), ("23505", 409), ("57014", 503)])
def test_write_and_answer_are_committed_together_or_not_at_all(ask, count, sql, path, event, refusal):
    code, status = refusal
    sql(FAIL_AT_COMMIT.format(event=event, code=code))
    before = [count(table) for table in ("services", "audit_logs", "outbox", "idempotency_keys")]
    for _ in range(2):
        answer = ask(path, NOTION)
        assert (answer.status_code, set(answer.json)) == (status, {"error", "message", "detail"})
    assert before == [count(table) for table in ("services", "audit_logs", "outbox", "idempotency_keys")]
    sql("DROP FUNCTION fail CASCADE")
    first = ask(path, NOTION)
    assert first.status_code == 201
    assert is_replay(first, ask(path, NOTION))
    assert count("services s, idempotency_keys k", "s.name = 'Notion' AND s.xmin = k.xmin") == 1


@pytest.mark.parametrize(
    "key",
    ["", " ", "x" * 201, "a\tb", "a\x7fb", "caf\u00e9", "\u00ff" * 10, "a\x01b"],
)
def test_key_that_is_none_is_refused(ask, count, key):
    for path in ("/services", "/v1/services/"):
        refused = ask(path, NOTION, key=key)
        assert refused.status_code in {400, 422}, refused.text
        assert (refused.json["error"], refused.json["detail"][0]["field"]) == (
            "invalid_input",
            "Idempotency-Key",
        )
    assert count(where="name = 'Notion'") == 0


@pytest.mark.parametrize(
    "key", ["x", "x" * 200, "'; DROP TABLE users --", '"quoted"', "a b", "%00", "{}", "\\"]
)
def test_any_printable_key_will_do(ask, key):
    first = ask("/services", NOTION, key=key)
    assert first.status_code == 201
    assert is_replay(first, ask("/services", NOTION, key=key))


def test_hostile_bodies_and_paths_are_refused_as_without_a_key(app, ask, root, count):
    assert ask("/services/" + "9" * 4000 + "/products", {"name": "x"}).status_code == 404
    assert ask("/services/" + "\U0001f511" * 900 + "/products", {"name": "x"}).status_code == 404
    headers = {"Authorization": f"Bearer {root.token}", "Idempotency-Key": KEY}
    for body, status in ((b"{", 400), (b"\xff", 400), (b"", 400), (b" " * (1024 * 1024 + 1), 413)):
        answer = apart(
            app.test_client().post,
            "/api/services",
            data=body,
            headers=headers,
            content_type="application/json",
        )
        assert answer.status_code == status
    assert count("idempotency_keys") == 0


def test_body_without_a_length_is_read_once(app, root, count):
    def send():
        return apart(
            app.test_client().post,
            "/api/services",
            input_stream=io.BytesIO(b'{"name": "Chunked"}'),
            headers={
                "Authorization": f"Bearer {root.token}",
                "Idempotency-Key": KEY,
                "Transfer-Encoding": "chunked",
            },
            environ_overrides={"wsgi.input_terminated": True},
        )

    first = send()
    assert first.status_code == 201, first.text
    assert is_replay(first, send())


def test_anonymous_leaves_no_key(app, count):
    for path in ("/api/services", "/api/v1/services/"):
        answer = app.test_client().post(path, json=NOTION, headers={"Idempotency-Key": KEY})
        assert answer.status_code == 401
    assert count("idempotency_keys") == 0


def test_replay_takes_few_statements(ask, statements):
    ask("/services", NOTION)
    with statements() as seen:
        assert "Idempotency-Replayed" in ask("/services", NOTION).headers
    assert len(seen) <= 4, seen
    with statements() as plain:
        ask("/services", {"name": "Without"}, key=None)
    with statements() as kept:
        ask("/services", {"name": "With"}, key="another")
    assert len(kept) <= len(plain) + 2, kept


def test_account_that_is_deleted_takes_its_keys_along(ask, count, sql):
    assert ask("/services", NOTION, "alice").status_code == 201
    sql("UPDATE users SET account_id = NULL WHERE email = 'alice@example.com'")
    sql("DELETE FROM ab_user WHERE email = 'alice@example.com'")
    assert count("idempotency_keys") == 0


def test_every_post_takes_a_key_or_has_a_reason(one_app):
    found, documented = {}, {}
    document = one_app.test_client().get("/api/openapi.json").json
    with one_app.app_context():
        for api in one_app.appbuilder.baseviews:
            if isinstance(api, BaseApi) and isinstance(api, PublishedApi):
                for path, verb, method in routes_of(api):
                    if verb == "post":
                        name = f"{type(api).__name__}.{method.__name__}"
                        found[name] = getattr(method, "retriable", False)
                        documented[name] = api.route_base + path
    assert {name for name, takes in found.items() if not takes} == set(TAKES_NONE)
    for path, verbs in document["paths"].items():
        operation = verbs.get("post", {})
        listed = [
            one["description"] for one in operation.get("parameters", []) if one["name"] == "Idempotency-Key"
        ]
        plain = {route for name, route in documented.items() if name in TAKES_NONE}
        if path in plain or path.startswith("/api/v1/security/"):
            assert listed == []
        elif operation:
            assert len(listed) == 1, path
            assert "409" in operation["responses"], path
