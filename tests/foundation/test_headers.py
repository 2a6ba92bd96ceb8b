"""Security headers stand on every answer: pages, data, files, redirects and errors."""

import re

import pytest
from flask import Flask, request
from flask_talisman import Talisman

from app import create_app
from app.foundation import headers
from app.foundation.errors import Conflict
from app.foundation.rendering import error_response, render_domain_error
from tests.visitor import apart

POLICY = {
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
ANSWERS = {
    "/": 200,
    "/services/list/": 200,
    "/services/show/999999": 404,
    "/nowhere": 404,
    "/logout/": 405,
    "/services/list/?page_ServiceView=x": 400,
    "/people/edit/1?x=%00": 400,
    "/static/portal/css/base.css": 200,
    "/static/portal/js/nav.js": 200,
    "/static/appbuilder/js/ab.js": 200,
    "/static/portal/missing.css": 404,
    "/health": 200,
    "/api/v1/services/": 401,
    "/api/webhooks/hr/onboarding": 405,
    "/lookup/services": 200,
    "/back": 302,
    "/invitation/made-up": 404,
}


def faults_of(answer) -> list[str]:
    headers = answer.headers
    policy = {part.strip() for part in headers.get("Content-Security-Policy", "").split(";")}
    found = [f"no {part}" for part in POLICY - policy]
    scripts = next((part for part in policy if part.startswith("script-src")), "")
    allowed = re.fullmatch(r"script-src 'self'(?: 'nonce-([\w+/=-]{16,})')?", scripts)
    if not allowed:
        found.append(f"scripts: {scripts or 'anything'}")
    elif answer.mimetype == "text/html" and answer.status_code not in {302, 500, 503}:
        nonce = allowed[1]
        stopped = [
            tag
            for tag in re.findall(r"<script[^>]*>", answer.get_data(as_text=True))
            if f'nonce="{nonce}"' not in tag
        ]
        found += [f"the policy stops {tag}" for tag in stopped]
    found += [
        f"{name}: {headers.get(name)}" for name, value in EVERYWHERE.items() if headers.get(name) != value
    ]
    if "X-Request-ID" not in headers:
        found.append("no request id")
    if "Server" in headers and "Werkzeug" in headers["Server"]:
        found.append(headers["Server"])
    return found


def test_headers_stand_on_every_answer(root, world):
    faults = {}
    for path, status in ANSWERS.items():
        answer = root.get(path)
        assert answer.status_code == status, path
        found = faults_of(answer)
        faults |= {path: found} if found else {}
    assert faults == {}


def test_headers_stand_on_refusals(root, nobody, alice):
    answers = {
        "no CSRF token": root.client.post("/services/add", data={"name": "x"}),
        "wrong password": nobody.post("/login/", {"username": "x@example.com", "password": "x"}),
        "not signed in": nobody.get("/services/list/"),
        "forbidden": alice.get("/users/list/"),
        "api forbidden": alice.api("GET", "audit-logs/"),
        "api invalid": alice.api("POST", "products/", {}),
        "api unreadable": alice.api("GET", "products/?q=("),
    }
    assert {name: found for name, answer in answers.items() if (found := faults_of(answer))} == {}
    assert [answer.status_code for answer in answers.values()] == [400, 401, 302, 403, 403, 422, 400]


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("path", ["/services/list/", "/api/v1/services/"])
def test_headers_stand_on_breakdowns(app, status, path):
    with app.test_request_context(path):
        answer = app.process_response(error_response(status))
    assert faults_of(answer) == []
    assert answer.headers["Cache-Control"] == "no-store"


def test_headers_stand_on_conflicts(app):
    with app.test_request_context("/api/v1/services/"):
        assert faults_of(app.process_response(render_domain_error(Conflict("No.")))) == []


def test_data_is_kept_by_no_cache(root, nobody):
    for path in ("/", "/services/list/", "/me/", "/lookup/services", "/nowhere", "/health", "/login/"):
        assert "no-store" in root.get(path).headers["Cache-Control"], path
    assert "no-store" in root.api("GET", "services/").headers["Cache-Control"]
    assert "no-store" in nobody.api("GET", "services/").headers["Cache-Control"]


def test_files_may_be_kept(nobody):
    assert "no-store" not in nobody.get("/static/portal/css/base.css").headers.get("Cache-Control", "")


def test_nonce_is_new_each_time_and_on_every_script(root):
    nonces = set()
    for _ in range(3):
        answer = root.get("/services/list/")
        [nonce] = re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        scripts = re.findall(r"<script[^>]*>", answer.text)
        assert scripts
        assert [script for script in scripts if f'nonce="{nonce}"' not in script] == []
        nonces.add(nonce)
    assert len(nonces) == 3


def test_session_cookie_is_for_this_site_s_pages_only(nobody):
    answer = nobody.post("/login/", {"username": "alice@example.com", "password": "a long test password"})
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie


def test_request_id_of_the_proxy_is_kept_if_it_is_sane(nobody):
    assert nobody.get("/health", headers={"X-Request-ID": "abc-12345"}).headers["X-Request-ID"] == "abc-12345"
    for given in ("<script>", "a", "x" * 500, "a b c d e f"):
        assert nobody.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] != given


@pytest.fixture(scope="session")
def safe_app(settings):
    """As behind TLS, under one name."""
    changed = {"public_url": "https://portal.example.com", "trusted_hosts": ("portal.example.com",)}
    return create_app(settings.model_copy(update=changed))


def test_behind_tls_cookies_and_pages_stay_there(app, safe_app):
    ours = safe_app.test_client()
    answer = apart(ours.get, "/login/", base_url="https://portal.example.com")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "max-age=31556926" in answer.headers["Strict-Transport-Security"]
    plain = apart(app.test_client().get, "/login/")
    assert "Secure" not in plain.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in plain.headers


@pytest.mark.parametrize("path", ["/login/", "/api/services", "/nowhere", "/static/portal/css/base.css"])
@pytest.mark.parametrize("host", ["evil.test", "portal.example.com.evil.test", "sub.portal.example.com"])
def test_other_host_gets_nothing(app, safe_app, path, host):
    answer = apart(safe_app.test_client().get, path, base_url=f"https://{host}")
    assert answer.status_code == 400
    assert host not in answer.text
    assert faults_of(answer) == []


def test_policy_is_the_one_that_talisman_would_write():
    def policy_of(kind):
        app = Flask("another")
        kind(
            app,
            content_security_policy=headers.POLICY,
            content_security_policy_nonce_in=["script-src"],
            force_https=False,
        )
        app.add_url_rule("/", "nonce", lambda: request.csp_nonce)
        answer = app.test_client().get("/")
        return answer.headers["Content-Security-Policy"].replace(answer.text, "NONCE")

    assert "nonce-NONCE'" in policy_of(Talisman)
    assert policy_of(headers._Headers) == policy_of(Talisman)
