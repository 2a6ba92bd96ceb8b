"""Every door of the portal, found by asking the application: a view or an API that is added tomorrow is attacked too."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from flask_appbuilder.api import ModelRestApi
from flask_appbuilder.baseviews import BaseCRUDView

from tests.attack.world import Marks
from tests.visitor import Visitor, apart

GUESTS = ("alice", "bob", "charlie")
PAGE_VERBS = [("get", "show"), ("get", "edit"), ("post", "edit"), ("post", "delete"), ("get", "delete")]
NO_SUCH_KEY = 999_999
REFUSED = {403, 404, 405}
_CHANGING = re.compile(
    r'nonce="[^"]*"|name="csrf_token"[^>]*>|content="[^"]{40,}"|value="[^"]{60,}"|\b[0-9a-f]{16}\b', re.ASCII
)


def pages(app: Flask) -> list[BaseCRUDView]:
    """The generated pages."""
    return [view for view in app.appbuilder.baseviews if isinstance(view, BaseCRUDView)]


def apis(app: Flask) -> list[ModelRestApi]:
    """The generated APIs."""
    return [view for view in app.appbuilder.baseviews if isinstance(view, ModelRestApi)]


def route(api: ModelRestApi) -> str:
    """Where an API is, as `Visitor.api` takes it."""
    return f"{api.resource_name}/"


def columns(model: type[Any]) -> list[str]:
    """The names of a model's columns and relations."""
    return [attribute.key for attribute in model.__mapper__.attrs]


def relations(model: type[Any]) -> list[str]:
    """The names of a model's relations."""
    return [relation.key for relation in model.__mapper__.relationships]


def readable_paths(app: Flask, keys: dict[str, Any], *, key: Any) -> Iterator[str]:
    """The address of every route that answers GET; `keys` names a row by endpoint, others get `key`."""
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint.endswith("static"):
            continue
        view = rule.endpoint.partition(".")[0]
        path = re.sub(r"<[^>]*(pk|id|key)>", str(keys.get(view, key)), rule.rule)
        yield re.sub(r"<[^>]*>", "x", path)


def fetch(visitor: Visitor, path: str, **options: Any) -> Any:
    """A page as a browser, an API as a script."""
    return call(visitor, "GET", path, **options)


def call(visitor: Visitor, method: str, path: str, body: Any = None, **options: Any) -> Any:
    """Any route: `body` is a form for a page, JSON for an API."""
    if not path.startswith("/api/"):
        return visitor.get(path, **options) if method == "GET" else visitor.post(path, body, **options)
    headers = {"Authorization": f"Bearer {visitor.token}"} if visitor.token else {}
    script = visitor.app.test_client()
    return apart(script.open, path, method=method, json=body, headers=headers, **options)


class Findings:
    """What went wrong, collected, so that one run names every leak."""

    def __init__(self, marks: Marks, secrets: list[str]) -> None:
        self.marks, self.secrets, self.faults = marks, secrets, []

    def look(self, visitor: Visitor, what: str, response: Any, allowed: set[int] | None = None) -> None:
        """Note a server error, a mark that is not for this viewer, or a status that is not allowed."""
        name = visitor.name or "nobody"
        if response.status_code >= 500:
            self.faults.append(f"{name}: {what} -> {response.status_code}")
        elif allowed is not None and response.status_code not in allowed:
            self.faults.append(f"{name}: {what} -> {response.status_code}, allowed {sorted(allowed)}")
        text = response.text + str(response.headers)
        shown = self.marks.leaked(name, text) + [secret for secret in self.secrets if secret in text]
        self.faults += [f"{name}: {what} shows {mark}" for mark in shown]

    def note(self, fault: str) -> None:
        """Note anything else."""
        self.faults.append(fault)

    def must_be_none(self) -> None:
        """Fail with the list."""
        assert not self.faults, "\n" + "\n".join(dict.fromkeys(self.faults))


def gist(response: Any, key: Any) -> str:
    """An answer without what differs by nature: nonces, tokens, request ids and the key that was asked for."""
    return _CHANGING.sub("", response.text).replace(str(key), "KEY")


def hidden_from(name: str, marks, model) -> int:
    return marks.hidden_from(name, model)[0].key


def open_to(name: str, marks, model) -> int:
    return marks.open_to(name, model)[0].key
