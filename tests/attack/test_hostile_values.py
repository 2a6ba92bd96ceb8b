"""Whatever is sent, the answer is an error that people and programs can read, and nothing was written."""

import json
from urllib.parse import quote

import pytest

from tests.attack.doors import NO_SUCH_KEY
from tests.attack.hostile import (
    JSON_VALUES,
    SHORT,
    Faults,
    browse,
    field_names,
    keys,
    path_of,
    send,
)
from tests.attack.hostile_requests import (
    HEADERS,
    HOSTILE_KEYS,
    PARAMETERS,
    RAW_BODIES,
    RISON,
)
from tests.attack.world import checksums
from tests.conftest import HR_KEY

JSON_METHODS = ("POST", "PUT")
LEGAL_TEXTS = {"quote", "huge text", "negative text", "far date", "first date", "no date", "other digits"}
ENDS_SESSIONS = ("logout",)


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def known(app, world):
    return keys(app, world)


@pytest.fixture
def nothing_written(app):
    """No table differs at the end; what was denied and who signs in may be written down."""
    but = ("sign_in_sessions", "audit_logs", "sign_in_limits", "login_attempts")
    with app.app_context():
        before = checksums(but=but)
    yield
    with app.app_context():
        after = checksums(but=but)
    assert [name for name in before if before[name] != after[name]] == []


def api_rules(app, *methods):
    """Every rule under /api with one of the methods, except what ends the session that asks."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/") and not rule.endpoint.endswith(ENDS_SESSIONS):
            yield from ((rule, method) for method in methods if method in rule.methods)


def page_rules(app, method):
    """Every rule that is a page, except what ends the session that asks."""
    for rule in app.url_map.iter_rules():
        static = rule.endpoint.endswith("static") or rule.rule.startswith("/api/")
        if method in rule.methods and not static and not rule.endpoint.endswith(ENDS_SESSIONS):
            yield rule


def test_hostile_value_in_every_field_at_once(app, root, known, faults, nothing_written):
    """A schema looks at every field, whatever the others hold; so one request tries all of them."""
    for rule, method in api_rules(app, *JSON_METHODS):
        for name, raw in JSON_VALUES.items():
            if name in LEGAL_TEXTS:
                continue
            everything = ",".join(f'"{field}":{raw}' for field in field_names())
            for body in ("{" + everything + "}", '{"employee":{' + everything + "}}"):
                if body.startswith('{"emp') and "webhooks" not in rule.rule:
                    continue
                answer = send(
                    root,
                    method,
                    path_of(rule, known, key=NO_SUCH_KEY if method == "PUT" and name == "null" else None),
                    data=body,
                    content_type="application/json",
                    headers={"X-API-Key": HR_KEY},
                )
                faults.judge(f"{method} {rule} {name}", answer, published=True)
    faults.must_be_none(400)


VALID = {
    "/api/users": {"name": "New", "email": "new@example.com", "department": "Attic", "position": "x", "active": True},
    "/api/services": {"name": "New", "vendor": "x", "url": "https://x.test", "description": "x"},
    "/api/products": {"name": "New", "service_id": 0, "url": "https://x.test", "status": "active"},
    "/api/payment-register": {"service_id": 0, "product_name": "New", "payment_info": {"amount": "1.00"}},
    "PUT /api/payment-register/<key>": {
        "amount": "1.00", "currency": "USD", "cardholder_name": "x", "card_last4": "4242", "expiry_date": "2031-01-31",
        "payment_method": "Invoice", "renewal_frequency": "monthly", "next_renewal_date": "2031-01-31",
    },
    "PUT /api/v1/payment-infos/<key>": {"amount": "1.00", "auto_renew": True, "notice_days": 30},
    "/api/services/<key>/products": {"name": "New", "url": "https://x.test", "description": "x"},
    "/api/v1/people/": {"name": "New", "email": "n@example.com", "department_id": 0, "external_id": "x", "last_day": None},
    "/api/v1/departments/": {"name": "New", "description": "x"},
    "/api/v1/services/": {"name": "New", "vendor": "x", "url": "https://x.test"},
    "/api/v1/products/": {"name": "New", "service_id": 0, "url": "https://x.test"},
    "/api/v1/access-grants/": {"person_id": 0, "product_id": 0, "level": "member", "valid_until": None},
    "/api/v1/permission-assignments/": {"person_id": 0, "product_id": 0, "service_id": None},
    "/api/v1/access-templates/": {"name": "New", "position": "x", "product_ids": [], "department_id": None},
    "/api/auth/login": {"email": "x@example.com", "password": "x"},
}  # fmt: skip
WEBHOOK = {
    "name": "New",
    "email": "n@example.com",
    "department": "x",
    "externalId": "x",
    "startDate": None,
    "lastDay": None,
}


def test_one_hostile_value_among_valid_ones(app, root, known, world, faults):
    """Here the value reaches the operation. What is accepted was legal; what is not, is refused in our words."""
    rows = {
        "service_id": world.services["Slack"],
        "product_id": world.products["Gmail"],
        "person_id": world.people["dora"],
    }
    for route, valid in VALID.items():
        method, _, rule = route.rpartition(" ")
        whole = {name: rows.get(name) if value == 0 else value for name, value in valid.items()}
        for field in whole:
            for name, raw in JSON_VALUES.items():
                others = json.dumps({key: value for key, value in whole.items() if key != field})
                body = others[:-1] + f', "{field}": {raw}}}'
                api = {"payment-register": "PaymentRegisterApi", "v1": "PaymentInfoApi"}.get(
                    rule.split("/")[2]
                )
                path = rule.replace("<key>", str(known[api or "ServicesApi"]))
                answer = send(root, method or "POST", path, data=body, content_type="application/json")
                faults.judge(f"{route} {field} {name}", answer, published=True)
    faults.must_be_none(1_000)


def test_one_hostile_value_in_an_announcement(app, root, faults):
    for kind in ("onboarding", "offboarding"):
        for field in WEBHOOK:
            for name, raw in JSON_VALUES.items():
                others = json.dumps({key: value for key, value in WEBHOOK.items() if key != field})
                body = '{"employee": ' + others[:-1] + f', "{field}": {raw}}}}}'
                answer = send(
                    root,
                    "POST",
                    f"/api/webhooks/hr/{kind}",
                    data=body,
                    content_type="application/json",
                    headers={"X-API-Key": HR_KEY, "webhook-id": f"{field} {name}"},
                )
                faults.judge(f"{kind} {field} {name}", answer, published=True)
    faults.must_be_none(300)


def test_body_that_can_not_be_read(app, root, known, faults, nothing_written):
    for rule, method in api_rules(app, *JSON_METHODS):
        for name, body in RAW_BODIES.items():
            if name == "duplicate keys" and method == "PUT":
                continue
            for kind in (
                "application/json",
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ):
                if kind != "application/json" and len(body) > 1_000:
                    continue
                headers = {"X-API-Key": HR_KEY}
                answer = send(
                    root, method, path_of(rule, known), data=body, content_type=kind, headers=headers
                )
                faults.judge(f"{method} {rule} {name} as {kind}", answer, published=True)
                if name == "12 MB" and answer.status_code not in {204, 401, 404, 413, 429}:
                    faults.note(f"{method} {rule} takes 12 MB: {answer.status_code}")
    faults.must_be_none(400)


def test_hostile_key_in_every_path(app, root, known, faults, nothing_written):
    for rule, method in api_rules(app, "GET", "PUT", "DELETE", "POST"):
        if rule.arguments:
            for key in HOSTILE_KEYS:
                answer = send(root, method, path_of(rule, known, key=key), json={})
                faults.judge(f"{method} {rule} {key[:20]}", answer, published=True)
    for method in ("GET", "POST"):
        for rule in page_rules(app, method):
            for key in HOSTILE_KEYS[::3] if rule.arguments else ():
                form = b"" if method == "POST" else None
                answer = browse(root, method, path_of(rule, known, key=key), form=form)
                faults.judge(f"{method} {rule} {key[:20]}", answer, published=False)
    faults.must_be_none(500)


def test_hostile_parameter_of_every_published_read(app, root, known, faults, nothing_written):
    for rule, _ in api_rules(app, "GET"):
        if rule.rule.startswith("/api/v1/"):
            queries = [
                b"q=" + quote(one, safe="%").encode() for one in RISON[:: 1 if rule.rule.endswith("/") else 6]
            ]
            queries += [b"q=(page:0)&q=(page:1)", b"page_X=1&page_X=x", b"_flt_0_id=x", b"%FF=%FF"]
        else:
            queries = [f"{name}=".encode() + value for name in PARAMETERS for value in SHORT.values()]
            queries += [b"page=1&page=x", b"limit=2&limit=3", b"%00=1", b"=", b"&&&"]
        for query in queries:
            answer = send(root, "GET", path_of(rule, known), query_string=query.decode("latin-1"))
            faults.judge(f"GET {rule} {query[:60]!r}", answer, published=True)
    faults.must_be_none(500)


def test_method_that_a_route_does_not_take(app, root, known, faults, nothing_written):
    for rule, _ in api_rules(app, "GET", "POST"):
        for method in ("PATCH", "TRACE", "DELETE" if "POST" in rule.methods else "PATCH"):
            answer = send(root, method, path_of(rule, known, key=NO_SUCH_KEY))
            faults.judge(f"{method} {rule}", answer, published=True)
            if answer.status_code == 405 and not answer.headers.get("Allow"):
                faults.note(f"{method} {rule}: 405 without Allow")
            elif method != "DELETE" and answer.status_code != 405:
                faults.note(f"{method} {rule}: {answer.status_code} instead of 405")
    faults.must_be_none(100)


def test_hostile_header(app, root, known, faults, nothing_written):
    paths = (
        "/api/services",
        "/api/auth/me",
        "/api/v1/services/",
        "/api/nowhere",
        "/api/webhooks/hr/onboarding",
    )
    for path in (*paths, "/services/list/", "/health", "/", "/static/portal/x", "/inbox/"):
        for headers in HEADERS:
            for method in ("GET", "POST"):
                answer = send(root, method, path, headers=headers)
                faults.judge(f"{method} {path} {headers!r:.60}", answer, published=path.startswith("/api"))
    faults.must_be_none(500)


@pytest.mark.parametrize(
    "base", ["/api", "/api/", "/api/v1/", "/api/services/1/", "/static/", "/static/appbuilder/", "/"]
)
def test_unknown_path_and_traversal(app, root, faults, base):
    for rest in ("nowhere", "../config.py", "..%2f..%2fconfig.py", "%2e%2e/%2e%2e/etc/passwd", "%00", "%FF", "//etc/passwd",
                 "..\\..\\config.py", "x" * 8_000, "a/" * 1_000, "%F0%9F%92%A9", ";x=1"):  # fmt: skip
        answer = send(root, "GET", base + rest)
        faults.judge(f"GET {base}{rest[:30]}", answer, published=base.startswith("/api/"))
        if answer.status_code == 200 and base != "/":
            faults.note(f"GET {base}{rest[:30]} -> 200")
    faults.must_be_none(10)
