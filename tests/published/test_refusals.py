"""Every refusal has the contract's shape, on both APIs and beside them, and tells nothing of the inside."""

import base64
import json
import re
from datetime import timedelta

import jwt
import pytest

from app.foundation import clock
from app.foundation.rendering import CODES
from app.foundation.schemas import LARGEST_BODY
from tests.visitor import apart

INSIDE = re.compile(
    r"Traceback|psycopg|sqlalchemy|werkzeug|\bSELECT\b|\bINSERT\b|File \"|<class|Error\(|jwt|segments|\bapp\.\w+"
)


@pytest.fixture
def ask(app, root):
    """A request as root, or with another token; refuses an answer of another shape than the contract's."""

    def make(method: str, path: str, *, token: str | None = None, **options):
        headers = {"Authorization": f"Bearer {token or root.token}", **options.pop("headers", {})}
        answer = apart(app.test_client().open, path, method=method, headers=headers, **options)
        assert set(answer.json) == {"error", "message", "detail"}, answer.text
        assert answer.json["error"] == CODES[answer.status_code]
        assert answer.json["message"]
        assert not INSIDE.search(answer.text), answer.text
        return answer

    return make


def test_unknown_path(ask):
    for path in ("", "/", "/nothing", "/v1", "/v1/", "/v1/nothing", "/v1/services/1/2", "/v2/x"):
        assert ask("GET", f"/api{path}").status_code == 404, path


@pytest.mark.parametrize("base", ["/api/services/", "/api/v1/services/"])
def test_key_that_no_row_has(ask, base):
    """The generated API's GET too, which FAB lets take whole numbers only."""
    for key in ("abc", "1.5", "-1", "0", "9" * 30, "%F0%9F%92%A9", "999999"):
        for method in ("GET", "PUT", "DELETE"):
            answer = ask(method, base + key, json=None if method == "GET" else {})
            assert answer.status_code == 404, (method, key)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/api/services"), ("DELETE", "/api/services"), ("GET", "/api/auth/login"),
     ("PATCH", "/api/v1/services/"), ("POST", "/api/v1/services/1"), ("GET", "/api/v1/security/login")],
)  # fmt: skip
def test_method_that_is_not_taken(ask, method, path):
    answer = ask(method, path)
    assert answer.status_code == 405
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/api/services", "/api/v1/services/", "/api/auth/login", "/api/v1/security/login"]
)
def test_body_that_is_too_large(ask, path):
    body = json.dumps({"name": "x" * LARGEST_BODY}).encode()
    assert ask("POST", path, data=body, content_type="application/json").status_code == 413


def signed(app, key: str | None = None, algorithm: str = "HS256", **claims) -> str:
    """A token like ours but for what is given."""
    ours = {
        "sub": "1", "sid": "x", "type": "access", "fresh": False, "jti": "x", "csrf": "x",
        "iat": clock.now(), "nbf": clock.now(), "exp": clock.now() + timedelta(minutes=5),
    }  # fmt: skip
    return jwt.encode({**ours, **claims}, key or app.config["JWT_SECRET_KEY"], algorithm)


def unsigned(app) -> str:
    """Says that it needs no signature (`alg: none`)."""
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": "1", "sid": "x", "type": "access"})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*coded, ""])


def bad_tokens(app, good: str) -> dict[str, str]:
    """By what is wrong with them."""
    head, _, signature = good.rpartition(".")
    return {
        "none": unsigned(app),
        "none in capitals": f"eyJhbGciOiJOT05FIn0.{good.split('.')[1]}.",
        "another key": signed(app, "k" * 64),
        "another algorithm": signed(app, algorithm="HS384"),
        "expired": signed(app, exp=clock.now() - timedelta(minutes=1)),
        "not yet": signed(app, nbf=clock.now() + timedelta(minutes=5)),
        "no session": signed(app),
        "session is no text": signed(app, sid={"x": [1]}),
        "a refresh token or none": signed(app, type="neither"),
        "subject is no number": signed(app, sub="root"),
        "subject is huge": signed(app, sub="9" * 40),
        "NUL in the subject": signed(app, sub="1\x00"),
        "truncated": good[:-5],
        "without signature": head,
        "another signature": f"{head}.{signature[::-1]}",
        "huge": good + "x" * 100_000,
        "dots": "." * 50,
        "personal, unknown": "po_" + "x" * 40,
        "personal, huge": "po_" + "x" * 100_000,
    }


def test_bad_token(app, root, ask):
    odd = {}
    for kind, token in bad_tokens(app, root.token).items():
        for method, path in (
            ("GET", "/api/auth/me"),
            ("GET", "/api/services"),
            ("GET", "/api/v1/services/"),
            ("POST", "/api/auth/refresh"),
            ("POST", "/api/v1/security/refresh"),
        ):
            answer = ask(method, path, token=token)
            if (answer.status_code, answer.headers.get("WWW-Authenticate")) != (401, "Bearer"):
                odd[f"{kind} at {path}"] = answer.status_code
    assert odd == {}


@pytest.mark.parametrize(
    ("path", "name"), [("/api/auth/login", "email"), ("/api/v1/security/login", "username")]
)
def test_guessing_too_often(ask, path, name):
    body = {name: "alice@example.com", "password": "wrong", "provider": "db"}
    statuses = []
    while len(statuses) < 30 and 429 not in statuses:
        answer = ask("POST", path, json=body)
        statuses.append(answer.status_code)
    assert statuses[-1] == 429
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "sent", [{}, {"username": "0", "password": "0"}, {"provider": "ldap"}, {"provider": 1}]
)
def test_generated_api_s_sign_in_names_what_is_missing(ask, sent):
    assert ask("POST", "/api/v1/security/login", json=sent).status_code in {400, 401, 422}
