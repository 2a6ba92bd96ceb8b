"""The number of a payment card, typed into every field of every form and sent in every field of every API, is kept nowhere."""

from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import text

from app.foundation.database import db
from tests.attack.doors import apis
from tests.attack.hostile import field_names, keys, path_of, send
from tests.attack.test_hostile_values import api_rules, page_rules

CARD = "4111 1111 1111 1111"
TYPED = {"text", "search", "email", "url", "tel", "password", "number", "date", None}


class Forms(HTMLParser):
    """The fields of a page's forms that post, as a browser would send them untouched: `typed` are those that take text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.typed: list[str] = []
        self._select = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        name, kind = said.get("name") or "", said.get("type")
        if tag == "select":
            self._select = name
        elif tag == "option" and ("selected" in said or not self.values.get(self._select)):
            self.values[self._select] = said.get("value") or ""
        elif tag == "textarea" or (tag == "input" and kind in TYPED):
            self.typed.append(name)
            self.values.setdefault(name, said.get("value") or "Something")
        elif tag == "input" and kind == "hidden":
            self.values.setdefault(name, said.get("value") or "")

    @property
    def fields(self) -> list[str]:
        """Of the text fields each one once; the token is the visitor's."""
        return [name for name in dict.fromkeys(self.typed) if name and name != "csrf_token"]


@pytest.fixture
def known(app, world):
    return keys(app, world)


@pytest.fixture
def kept_nowhere(app):
    """No row of any table holds it in the end, in whatever column."""
    yield
    with app.app_context():
        holding = [
            name
            for name, table in db.metadata.tables.items()
            if db.session.scalar(
                text(f"SELECT count(*) FROM {table} AS row WHERE row::text ~ '4111 ?1111 ?1111 ?1111'")
            )
        ]
    assert holding == []


def test_no_text_field_of_any_form(app, visit, known, kept_nowhere):
    asked, seen = 0, {"comment", "content"}
    for rule in page_rules(app, "POST"):
        if "GET" not in rule.methods:
            continue
        visitor, path = visit("root"), path_of(rule, known)
        form = Forms(visitor.get(path).text)
        for name in form.fields:
            answer = visitor.post(path, {**form.values, name: CARD})
            assert answer.status_code < 500, (path, name)
            asked += 1
        seen |= {*form.fields}
    assert asked > 50
    for rule in page_rules(app, "POST"):
        if "GET" not in rule.methods:
            answer = visit("root").post(path_of(rule, known), dict.fromkeys(seen, CARD))
            assert answer.status_code < 500, rule


def test_no_field_of_a_program(app, root, known, kept_nowhere):
    """Bare, and as HR sends it."""
    everything: dict[str, Any] = dict.fromkeys(field_names(), CARD)
    for rule, method in api_rules(app, "POST", "PUT"):
        for body in (everything, {"employee": everything}, {"payment_info": everything}):
            assert send(root, method, path_of(rule, known), json=body).status_code < 500


def test_each_text_of_the_generated_api_says_why(app, root, known):
    for api in apis(app):
        schema = getattr(api, "schema", None)
        if schema is None or api.verbs.create is None:
            continue
        for name, field in schema.fields.items():
            if type(field).__name__ != "Text":
                continue
            answer = root.api("POST", f"{api.resource_name}/", {name: CARD})
            said = {one["field"]: one["message"] for one in answer.json["detail"]}
            assert "payment card" in said[name], (api.resource_name, name)


FAB_FORMS = {
    "/roles/add": {"name": "Role"},
    "/groups/add": {"name": "Group", "label": "Group", "description": "Group"},
    "/users/add": {"first_name": "Nina", "last_name": "New", "username": "nina", "email": "nina@example.com"},
}
PASSWORDS = {"password": "a long enough phrase", "conf_password": "a long enough phrase", "active": "y"}


@pytest.mark.parametrize("path", FAB_FORMS)
def test_flask_appbuilders_own_forms_say_why(app, root, path):
    form = FAB_FORMS[path] | (PASSWORDS if "username" in FAB_FORMS[path] else {})
    for name in FAB_FORMS[path]:
        value = "4111111111111111@example.com" if name == "email" else CARD
        answer = root.post(path, {**form, name: value})
        assert answer.status_code == 422, (path, name)
        assert "payment card" in answer.text, (path, name)
    assert root.post(path, form).status_code == 302


def test_sign_in_with_one_leaves_it_out_of_the_log(nobody, kept_nowhere):
    nobody.post("/login/", {"username": CARD, "password": "x"})
    for _ in range(6):
        nobody.api("POST", "security/login", {"username": CARD, "password": "x", "provider": "db"})
