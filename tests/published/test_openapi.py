"""The document says what the application does: every route, valid, with examples and answers that fit."""

import json
import re

import pytest
from flask_appbuilder.api import BaseApi
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.cast import PASSWORD
from tests.published.test_contract import call  # noqa: F401 - a fixture

HOME = "urn:portalops"


@pytest.fixture(scope="module")
def document(one_app):
    """As anybody gets it."""
    answer = one_app.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.json


@pytest.fixture(scope="module")
def check(document):
    """`check(schema, value)` names what does not fit."""
    registry = Registry().with_resource(
        HOME, Resource.from_contents(document, default_specification=DRAFT202012)
    )

    def faults(schema, value):
        schema = _absolute(schema)
        validator = Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    return faults


def _absolute(schema):
    if isinstance(schema, dict):
        return {name: HOME + one if name == "$ref" else _absolute(one) for name, one in schema.items()}
    return [_absolute(one) for one in schema] if isinstance(schema, list) else schema


def operations(document):
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield f"{verb.upper()} {path}", operation


def nameless(path: str) -> str:
    return re.sub(r"<[^>]*>|\{[^}]*\}", "{}", path)


def test_document_is_valid(document):
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_route_is_described_and_nothing_else(one_app, document):
    routes = {
        f"{method} {nameless(rule.rule)}"
        for rule in one_app.url_map.iter_rules()
        if rule.rule.startswith("/api/")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert {nameless(name) for name, _ in operations(document)} == routes


def test_every_operation_is_whole(document):
    tags = {tag["name"] for tag in document["tags"] if tag["description"]}
    wanted = {"operationId", "summary", "description", "security", "tags", "responses"}
    for name, operation in operations(document):
        assert wanted <= set(operation), name
        assert set(operation["tags"]) <= tags, name
        assert any(status.startswith("4") for status in operation["responses"]), name
        assert all(operation["responses"]), name
        if operation["security"]:
            assert "401" in operation["responses"], name
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_examples_fit_their_schemas(document, check):
    faults = {}
    for name, operation in operations(document):
        for part in [operation.get("requestBody", {}), *operation["responses"].values()]:
            if "content" in part:
                content = part["content"]["application/json"]
                found = check(content["schema"], content["example"])
                faults |= {name: found} if found else {}
    for status, response in document["components"]["responses"].items():
        content = response["content"]["application/json"]
        assert check(content["schema"], content["example"]) == [], status
    assert faults == {}


def test_every_parameter_has_an_example_that_fits(document, check):
    faults = {}
    for name, operation in operations(document):
        for one in operation["parameters"]:
            told = one.get("content", {}).get("application/json", one)
            found = check(told["schema"], told["example"]) if "example" in told else ["no example"]
            faults |= {f"{name} {one['name']}": found} if found else {}
    assert faults == {}


def test_examples_of_the_generated_api_s_questions_are_answered(document, root):
    for name, operation in operations(document):
        for one in operation["parameters"]:
            if one["name"] == "q" and "{pk}" not in name:
                path = name.removeprefix("GET /api/v1/")
                question = json.dumps(one["content"]["application/json"]["example"])
                answer = root.api("GET", path, query_string={"q": question})
                assert answer.status_code == 200, (name, answer.text)


def test_document_is_built_once_and_asks_no_database(one_app, statements):
    client = one_app.test_client()
    with statements() as seen:
        first = client.get("/api/openapi.json")
    assert seen == []
    tag = first.headers["ETag"]
    again = client.get("/api/openapi.json", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    assert first.headers["Cache-Control"] == "no-cache"


def answer_schema(document, name, status):
    operation = dict(operations(document))[name]
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = document["components"]["responses"][str(status)]
    return response["content"]["application/json"]["schema"]


@pytest.mark.parametrize(
    "asked",
    [
        ("GET /api/auth/me", None, "alice", 200),
        ("GET /api/users", None, "root", 200),
        ("GET /api/users", None, "charlie", 403),
        ("POST /api/users", {"name": "Eve", "email": "eve@example.com"}, "root", 201),
        ("POST /api/users", {"name": "Alice", "email": "alice@example.com"}, "root", 409),
        ("GET /api/users/{id}", None, "root", 404),
        ("GET /api/services", None, "root", 200),
        ("POST /api/services", {"name": "Notion"}, "alice", 201),
        ("POST /api/services", {"url": "x"}, "alice", 422),
        ("GET /api/products", None, "bob", 200),
        ("GET /api/inbox/tasks", None, "bob", 200),
        ("GET /api/audit-logs", None, "root", 200),
        ("GET /api/payment-register", None, "root", 200),
        ("GET /api/payment-register/summary", None, "root", 200),
        ("GET /api/payment-register/summary", None, "alice", 403),
        ("PUT /api/payment-register/{productId}", {}, "root", 404),
        ("GET /api/audit-logs", None, None, 401),
    ],
)
def test_answers_fit_the_document(document, check, call, hr, run_jobs, asked):  # noqa: F811
    name, body, who, status = asked
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    method, path = name.split()
    answer = call(
        method,
        path.removeprefix("/api").replace("{id}", "999999").replace("{productId}", "999999"),
        who,
        body,
    )
    assert answer.status_code == status
    assert check(answer_schema(document, name, status), answer.json) == []


def test_generated_answers_fit_the_document(one_app, document, check, root, hr, run_jobs):
    hr("onboarding", name="Jane", email="jane@example.com", department="Engineering")
    run_jobs()
    faults = {}
    for name, _ in operations(document):
        if name.startswith("GET /api/v1/"):
            path = name.removeprefix("GET /api/v1/").replace("{pk}", "1")
            answer = root.api("GET", path)
            if answer.status_code != 404:
                found = check(answer_schema(document, name, answer.status_code), answer.json)
                faults |= {name: found} if found else {}
    assert faults == {}


def test_sign_in_and_webhook_answers_fit(app, document, check, hr):
    body = {"email": "alice@example.com", "password": PASSWORD}
    answer = app.test_client().post("/api/auth/login", json=body)
    assert check(answer_schema(document, "POST /api/auth/login", 200), answer.json) == []
    for status in (202, 200):
        answer = hr("onboarding", name="Jane", email="jane@example.com")
        assert answer.status_code == status
        assert check(answer_schema(document, "POST /api/webhooks/hr/onboarding", status), answer.json) == []


def test_no_api_class_is_left_out(one_app):
    with one_app.app_context():
        bases = [view.route_base for view in one_app.appbuilder.baseviews if isinstance(view, BaseApi)]
    assert all(base.startswith("/api") for base in bases)
