"""Scripts of named origins may read the API, on every answer; of others, none."""

import pytest

from app import create_app
from tests.visitor import apart

OURS, OTHER = "https://portal.example.com", "https://portal.example.com.evil.test"
ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture(scope="session")
def open_app(settings):
    return create_app(settings.model_copy(update={"cors_origins": (OURS,)}))


@pytest.fixture
def ask(app, open_app):
    def send(method, path, origin=OURS, **headers):
        sent = {"Origin": origin, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return apart(open_app.test_client().open, path, method=method, headers=sent)

    return send


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/services", 401),
        ("GET", "/api/nowhere", 404),
        ("PATCH", "/api/services", 405),
        ("POST", "/api/auth/login", 400),
        ("GET", "/api/services?search=%00", 400),
        ("POST", "/api/webhooks/hr/onboarding", 401),
        ("GET", "/api/v1/services/", 401),
    ],
)
def test_errors_can_be_read_by_a_named_origin(ask, method, path, status):
    answer = ask(method, path)
    assert (answer.status_code, answer.headers[ALLOW]) == (status, OURS)
    assert "Origin" in answer.headers["Vary"]
    assert {"X-Total-Count", "Link", "ETag", "X-Request-ID"} <= set(
        answer.headers["Access-Control-Expose-Headers"].split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("path", ["/api/services", "/api/services/7/", "/api/v1/services/", "/api/nowhere"])
def test_preflight_is_answered_without_a_token(ask, path):
    answer = ask("OPTIONS", path, Access_Control_Request_Method="PUT")
    assert answer.status_code == 204
    assert answer.headers[ALLOW] == OURS
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    allowed = answer.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Authorization", "Content-Type", "Idempotency-Key", "If-Match"} <= set(allowed)
    assert "X-API-Key" not in allowed
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "", "http://portal.example.com", OURS.upper(), f"x {OURS}"]
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_other_origin_gets_nothing(ask, origin, method):
    answer = ask(method, "/api/services", origin, Access_Control_Request_Method="GET")
    assert ALLOW not in answer.headers
    assert "Origin" in answer.headers["Vary"]


def test_pages_belong_to_no_other_origin(ask):
    assert ALLOW not in ask("GET", "/login/").headers


def test_without_origins_nobody_is_allowed(app):
    answer = apart(app.test_client().get, "/api/services", headers={"Origin": OURS})
    assert ALLOW not in answer.headers
