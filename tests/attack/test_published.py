"""The published API under the same attack: hidden rows, foreign ids, and more rights than one has."""

import re

import pytest

from app.directory.models import Person
from app.inbox.models import WorkflowTask
from app.inventory.models import Product, Service
from app.payments.models import PaymentInfo
from tests.attack.doors import NO_SUCH_KEY, Findings, call, gist

pytestmark = pytest.mark.usefixtures("unchanged")
MODELS = {
    "/api/users": Person,
    "/api/services": Service,
    "/api/products": Product,
    "/api/payment-register": PaymentInfo,
    "/api/inbox/tasks": WorkflowTask,
}
BODY = {
    "name": "Taken over",
    "status": "completed",
    "roles": ["Admin"],
    "email": "taken@over.test",
    "active": False,
}


@pytest.fixture
def findings(marks, visitors, secrets_of_accounts) -> Findings:
    return Findings(marks, [*secrets_of_accounts, *(visitor.session_id for visitor in visitors.values())])


def published(app):
    """(route, method, model) of every published route about one row."""
    for rule in app.url_map.iter_rules():
        model = next((model for prefix, model in MODELS.items() if rule.rule.startswith(f"{prefix}/")), None)
        for method in rule.methods - {"HEAD", "OPTIONS"} if model else ():
            yield rule.rule, method, model


def test_hidden_row_and_missing_row_answer_alike(app, marks, visitors, findings):
    asked = 0
    for name in ("alice", "bob", "charlie"):
        for route, method, model in published(app):
            rows = marks.hidden_from(name, model)
            for row in rows[:1]:
                inner = marks.hidden_from(name, Product)[0].key
                paths = [
                    re.sub(
                        r"<[^>]*>", str(inner), re.sub(r"<(key|product_key|\w*pk)>", str(key), route, count=1)
                    )
                    for key in (row.key, NO_SUCH_KEY)
                ]
                hidden, missing = (
                    call(visitors[name], method, path, None if method == "GET" else BODY) for path in paths
                )
                findings.look(visitors[name], f"{method} {paths[0]}", hidden, {403, 404})
                if gist(hidden, row.key) != gist(missing, NO_SUCH_KEY):
                    findings.note(f"{name}: {method} {route} tells a hidden row from a missing one")
                asked += 1
    assert asked > 20
    findings.must_be_none()


def test_product_is_found_in_its_own_service_only(marks, visitors, findings):
    alice = visitors["alice"]
    [own] = {row.key for row in marks.open_to("alice", Product)}
    service = marks.hidden_from("alice", Service)[0].key
    for method in ("GET", "PUT", "DELETE"):
        answer = call(
            alice, method, f"/api/services/{service}/products/{own}", None if method == "GET" else BODY
        )
        findings.look(alice, f"{method} own product in a hidden service", answer, {404})
    findings.must_be_none()


def test_lists_hold_no_hidden_row(app, visitors, findings):
    for visitor in visitors.values():
        for rule in app.url_map.iter_rules():
            if (
                rule.rule.startswith("/api/")
                and "<" not in rule.rule
                and "/v1/" not in rule.rule
                and "GET" in rule.methods
            ):
                for query in (
                    "",
                    "?search=erin",
                    "?search=%25",
                    "?limit=1000&page=1",
                    "?status=pending",
                    "?search=mark",
                ):
                    findings.look(
                        visitor, f"GET {rule.rule}{query}", call(visitor, "GET", f"{rule.rule}{query}")
                    )
    findings.must_be_none()


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_nobody_gives_themselves_more(marks, visitors, findings, world, name):
    """Roles, services, and products of others: for oneself, for a friend, added or taken away."""
    visitor = visitors[name]
    services, products = world.services, world.products
    hidden = [row.key for row in marks.hidden_from(name, Product)]
    changes = [
        {"roles": ["Admin"]},
        {"roles": ["ServiceAdministrator"]},
        {"roles": []},
        {"assignments": {"services": {"add": [str(services["Slack"])]}}},
        {"assignments": {"services": {"add": [str(services["Google Workspace"])]}}},
        {"assignments": {"services": {"remove": [str(services["Google Workspace"])]}}},
        {"assignments": {"products": {"add": [str(hidden[0])]}}},
        {"assignments": {"products": {"add": [str(NO_SUCH_KEY)]}}},
        {"assignments": {"products": {"remove": [str(products["Slack Business"])]}}},
        {"roles": ["Admin"], "assignments": {"products": {"add": [str(products["Drive"])]}}},
    ]
    for person in (visitor.person_id, world.people["bob"], world.people["charlie"], world.people["root"]):
        for change in changes:
            answer = call(visitor, "PUT", f"/api/users/{person}/permissions", change)
            # 204 is right where there is nothing to change: `unchanged` holds it to that.
            findings.look(
                visitor, f"PUT permissions of {person}: {change}", answer, {204, 403, 404, 409, 422}
            )
    findings.must_be_none()


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_hidden_reference_is_refused(marks, visitors, findings, name):
    visitor = visitors[name]
    service = marks.hidden_from(name, Service)[0].key
    for body in ({"name": "Mine", "serviceId": str(service)}, {"name": "Mine", "service_id": NO_SUCH_KEY}):
        findings.look(
            visitor, f"POST /api/products {body}", call(visitor, "POST", "/api/products", body), {403, 422}
        )
    for row in marks.open_to(name, Product):
        answer = call(visitor, "PUT", f"/api/products/{row.key}", {"serviceId": str(service)})
        findings.look(visitor, f"PUT /api/products/{row.key} to a hidden service", answer, {403, 422})
    findings.must_be_none()
