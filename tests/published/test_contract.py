"""The published API, as existing clients call it."""

import pytest

from tests.cast import PASSWORD
from tests.visitor import apart


@pytest.fixture
def call(app):
    """`call("GET", "/users", "root")`: a script with somebody's token, signed in through the API itself."""
    tokens: dict[str, str] = {}

    def sign_in(name: str) -> str:
        body = {"email": f"{name.upper()}@Example.com", "password": PASSWORD}
        answer = apart(app.test_client().post, "/api/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json["accessToken"]

    def make(method: str, path: str, name: str | None = "root", body=None, **options):
        if name and name not in tokens:
            tokens[name] = sign_in(name)
        headers = {"Authorization": f"Bearer {tokens[name]}"} if name else {}
        return apart(
            app.test_client().open, f"/api{path}", method=method, json=body, headers=headers, **options
        )

    return make


def test_login_answers_tokens_and_who_it_is(app, world):
    answer = app.test_client().post(
        "/api/auth/login", json={"email": "alice@example.com", "password": PASSWORD}
    )
    assert answer.status_code == 200
    assert set(answer.json) == {"accessToken", "refreshToken", "user"}
    assert answer.json["user"] == {
        "id": str(world.people["alice"]),
        "name": "Alice",
        "email": "alice@example.com",
    }


@pytest.mark.parametrize(
    "body", [{"email": "alice@example.com", "password": "wrong"}, {"email": "x", "password": "y"}]
)
def test_wrong_login_has_one_answer(app, body):
    answer = app.test_client().post("/api/auth/login", json=body)
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")
    assert answer.json["message"] == "Incorrect email or password"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_refresh_gives_a_token_of_the_same_session_and_logout_ends_both(app):
    client = app.test_client()
    tokens = client.post("/api/auth/login", json={"email": "bob@example.com", "password": PASSWORD}).json

    def bearer(token: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token}"}

    fresh = client.post("/api/auth/refresh", headers=bearer(tokens["refreshToken"])).json["accessToken"]
    assert client.get("/api/auth/me", headers=bearer(fresh)).status_code == 200
    assert client.post("/api/auth/logout", headers=bearer(fresh)).status_code == 204
    for token in (fresh, tokens["accessToken"]):
        assert client.get("/api/auth/me", headers=bearer(token)).status_code == 401
    assert client.post("/api/auth/refresh", headers=bearer(tokens["refreshToken"])).status_code == 401


def test_me_names_roles_and_what_one_administers(call, world):
    assert call("GET", "/auth/me", "bob").json == {
        "id": str(world.people["bob"]),
        "name": "Bob",
        "email": "bob@example.com",
        "roles": ["ProductAdministrator"],
        "permissions": {
            "services": [],
            "products": [str(world.products[name]) for name in ("GitHub Enterprise", "Slack Business")],
        },
    }


def test_users_are_searched_and_paged_with_exact_totals(call):
    answer = call("GET", "/users?search=EXAMPLE.COM&page=2&limit=2").json
    assert answer["pagination"] == {"total": 6, "page": 2, "limit": 2}
    assert [user["name"] for user in answer["data"]] == ["Charlie", "Dora"]
    assert set(answer["data"][0]) >= {
        "id",
        "name",
        "email",
        "department",
        "active",
        "created_at",
        "updated_at",
    }
    assert call("GET", "/users?search=engineering").json["pagination"]["total"] == 1


@pytest.mark.parametrize("query", ["page=0", "limit=101", "limit=x", "page=-1", f"page={2**70}"])
def test_bad_page_is_named(call, query):
    assert call("GET", f"/users?{query}").status_code == 422


def test_user_is_created_changed_and_deactivated(call):
    made = call(
        "POST", "/users", body={"name": "Eve", "email": "eve@example.com", "department": "Engineering"}
    )
    assert (made.status_code, made.json["department"], made.json["active"]) == (201, "Engineering", True)
    path = f"/users/{made.json['id']}"
    again = call("POST", "/users", body={"name": "Eve", "email": "EVE@example.com"})
    assert (again.status_code, again.json["message"]) == (409, "User with this email already exists")
    assert call("PUT", path, body={"department": "Nowhere"}).json["department"] == "Nowhere"
    assert call("DELETE", path).status_code == 204
    assert call("GET", path).json["active"] is False


def test_user_with_a_password_signs_in_and_no_password_is_audited(call):
    call("POST", "/users", body={"name": "Eve", "email": "eve@example.com", "password": PASSWORD})
    assert call("GET", "/auth/me", "eve").json["roles"] == []
    assert PASSWORD not in call("GET", "/audit-logs?limit=100").text


def test_users_are_for_administrators(call, world):
    assert call("GET", "/users", "alice").status_code == 200
    assert call("GET", "/users", "charlie").status_code == 403
    assert call("GET", "/users", None).status_code == 401
    assert call("POST", "/users", "alice", {"name": "X", "email": "x@example.com"}).status_code == 403


def test_last_admin_can_neither_go_nor_lose_the_role(call, world):
    first = call("GET", "/users?search=first@").json["data"][0]["id"]
    assert call("DELETE", f"/users/{first}").status_code == 204
    root = world.people["root"]
    assert call("DELETE", f"/users/{root}").status_code == 409
    assert call("PUT", f"/users/{root}/permissions", body={"roles": []}).status_code == 409


def test_permissions_change_all_or_nothing(call, world):
    path = f"/users/{world.people['charlie']}/permissions"
    services = {"add": [str(world.services["Slack"])]}
    bad = {
        "roles": ["ServiceAdministrator"],
        "assignments": {"services": services, "products": {"add": ["999999"]}},
    }
    assert call("PUT", path, body=bad).status_code == 422
    assert call("GET", "/auth/me", "charlie").json["roles"] == []
    good = {"roles": ["ServiceAdministrator"], "assignments": {"services": services}}
    assert call("PUT", path, body=good).status_code == 204
    me = call("GET", "/auth/me", "charlie").json
    assert (me["roles"], me["permissions"]["services"]) == (["ServiceAdministrator"], services["add"])
    assert [service["name"] for service in call("GET", "/services", "charlie").json] == ["Slack"]


def test_service_administrator_gives_products_inside_their_services_only(call, world):
    path = f"/users/{world.people['charlie']}/permissions"

    def give(product: str) -> int:
        body = {"assignments": {"products": {"add": [str(world.products[product])]}}}
        return call("PUT", path, "alice", body).status_code

    assert (give("Gmail"), give("Copilot")) == (204, 422)
    assert call("PUT", path, "alice", {"roles": ["Admin"]}).status_code == 403
    assert call("PUT", path, "bob", {"assignments": {}}).status_code == 403


def test_services_show_the_products_that_one_may_see(call):
    assert [service["name"] for service in call("GET", "/services").json] == [
        "GitHub",
        "Google Workspace",
        "Slack",
    ]
    [github, slack] = call("GET", "/services/", "bob").json
    assert [product["name"] for product in github["products"]] == ["GitHub Enterprise"]
    assert (github["productCount"], slack["productCount"]) == (1, 1)
    page = call("GET", "/services?page=1&limit=1")
    assert (page.headers["X-Total-Count"], len(page.json)) == ("3", 1)
    assert 'rel="next"' in page.headers["Link"]


def test_service_and_its_products_live_and_go(call):
    service = call("POST", "/services", "alice", {"name": "Notion", "url": "https://notion.so"}).json
    path = f"/services/{service['id']}"
    product = call("POST", f"{path}/products", "alice", {"name": "Notion Plus"})
    assert (product.status_code, product.json["service_id"]) == (201, service["id"])
    one = f"{path}/products/{product.json['id']}"
    assert call("PUT", one, "alice", {"description": "Pages"}).json["description"] == "Pages"
    assert call("DELETE", path, "alice").status_code == 409
    assert call("DELETE", one, "alice").status_code == 204
    assert call("DELETE", path, "alice").status_code == 204
    assert call("GET", path, "alice").status_code == 404


def test_same_name_is_a_conflict_and_a_bad_url_is_named(call):
    assert call("POST", "/services", body={"name": "slack"}).status_code == 409
    answer = call("POST", "/services", body={"name": "X", "url": "ftp://x"})
    assert (answer.status_code, answer.json["detail"][0]["field"]) == (422, "url")


def test_products_stand_alone_too(call, world):
    assert [product["name"] for product in call("GET", "/products", "bob").json] == [
        "GitHub Enterprise",
        "Slack Business",
    ]
    hidden = world.products["Gmail"]
    assert call("GET", f"/products/{hidden}", "bob").status_code == 404
    assert (
        call("PUT", f"/products/{world.products['Slack Business']}", "bob", {"name": "Slack+"}).status_code
        == 200
    )
    assert call("DELETE", f"/products/{world.products['Slack Business']}", "bob").status_code == 403


def test_task_is_read_and_worked_on_by_its_assignee(call, hr, run_jobs):
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    [task] = call("GET", "/inbox/tasks?status=pending", "bob").json
    assert (task["type"], task["status"], task["title"]) == (
        "onboarding",
        "pending",
        "Give Jane access to GitHub Enterprise",
    )
    path = f"/inbox/tasks/{task['id']}"
    assert call("PUT", path, "bob", {"status": "completed", "comment": "Done"}).status_code == 204
    after = call("GET", path, "bob").json
    assert (after["status"], after["completedBy"], after["comments"][0]["content"]) == (
        "completed",
        task["assignedTo"],
        "Done",
    )
    assert call("PUT", path, "bob", {"status": "pending"}).status_code == 409
    assert call("PUT", path, "bob", {"status": "nonsense"}).status_code == 422
    assert call("GET", path, "charlie").status_code == 404


def test_audit_log_is_filtered_and_for_admins(call, world):
    call("POST", "/services", "alice", {"name": "Notion"})
    found = call("GET", f"/audit-logs?action=service.create&actorUserId={world.people['alice']}").json
    assert found["pagination"]["total"] == 1
    [entry] = found["data"]
    assert (entry["actor"]["name"], entry["details"]["after"]["name"]) == ("Alice", "Notion")
    assert call("GET", "/audit-logs?from=31/12/2031").status_code == 422
    assert call("GET", "/audit-logs?actorUserId=x").status_code == 422
    assert call("GET", "/audit-logs", "alice").status_code == 403


@pytest.mark.parametrize(
    "path", ["/nothing", "/users/abc", f"/users/{2**70}", "/services/0", "/inbox/tasks/-1"]
)
def test_what_is_not_there_is_404_in_the_contract_s_shape(call, path):
    answer = call("GET", path)
    assert (answer.status_code, set(answer.json)) == (404, {"error", "message", "detail"})


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é"])
def test_malformed_token_is_401(app, token):
    headers = {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    answer = app.test_client().get("/api/auth/me", headers=headers)
    assert (answer.status_code, answer.json["error"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    "path",
    [
        "/users?limit=100",
        "/services",
        "/products",
        "/inbox/tasks",
        "/audit-logs",
        "/auth/me",
        "/payment-register",
    ],
)
def test_reads_take_at_most_six_statements(call, statements, path):
    call("GET", "/auth/me")
    with statements() as seen:
        assert call("GET", path).status_code == 200
    assert len(seen) <= 6, seen
