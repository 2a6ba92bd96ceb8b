#!/usr/bin/env python3
"""Smoke test of a running deployment: `python test_api.py [BASE_URL]`.

Needs only the standard library. Reads ADMIN_EMAIL, ADMIN_PASSWORD and HR_WEBHOOK_API_KEY from the environment; what is
missing there from DATA_DIR/secrets, where a local start keeps what it made up. One line a check; exit code 1 if one fails.

It adds a service, a product and a person of its own, removes the first two and deactivates the third. Announcing a
joiner opens a case that no call undoes, so of the webhooks only the key and the shape are checked.
"""

import json
import os
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOCAL = "http://127.0.0.1:8000"
NOBODY = {"X-API-Key": "this key is not known here"}


def secret(name: str, default: str = "") -> str:
    """The environment's value, else the one a local start wrote down."""
    kept = Path(os.environ.get("DATA_DIR", "data")) / "secrets" / name.lower()
    if os.environ.get(name):
        return os.environ[name]
    return kept.read_text(encoding="utf-8").strip() if kept.is_file() else default


class Portal:
    """A deployment, as a script calls it."""

    def __init__(self, base: str) -> None:
        self.base, self.token, self.failed = base.rstrip("/"), "", 0
        self.made: list[str] = []

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """(status, JSON or None) of a call."""
        sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        if self.token:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, sent, method=method)  # noqa: S310 - the caller's own URL
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                status, content = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, content = error.code, error.read()
        try:
            return status, json.loads(content)
        except ValueError:
            return status, None

    def check(self, name: str, test: Callable[[], bool]) -> None:
        """Run one check and say how it went."""
        begun = time.monotonic()
        try:
            fault = "" if test() else "unexpected answer"
        except (OSError, KeyError, IndexError, TypeError, ValueError) as error:
            fault = f"{type(error).__name__}: {error}"
        self.failed += bool(fault)
        took = round((time.monotonic() - begun) * 1000)
        print(f"{'FAIL' if fault else 'ok  '} {name} ({took} ms){': ' + fault if fault else ''}", flush=True)

    def status(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> int:
        """The status alone."""
        return int(self.call(method, path, body, headers)[0])

    # --- the checks -----------------------------------------------------------------------------------------------

    def is_healthy(self) -> bool:
        status, body = self.call("GET", "/health")
        return status == 200 and body["status"] == "healthy"

    def welcomes(self) -> bool:
        status, body = self.call("GET", "/")
        return status == 200 and body["docs_url"] == "/docs" and body["api_prefix"] == "/api"

    def has_document(self) -> bool:
        status, body = self.call("GET", "/api/openapi.json")
        return status == 200 and body["openapi"].startswith("3.") and "/api/auth/login" in body["paths"]

    def signs_in(self) -> bool:
        body = {"email": secret("ADMIN_EMAIL", "admin@portalops.local"), "password": secret("ADMIN_PASSWORD")}
        status, answer = self.call("POST", "/api/auth/login", body)
        self.token = answer["accessToken"] if status == 200 else ""
        return status == 200

    def knows_me(self) -> bool:
        status, body = self.call("GET", "/api/auth/me")
        return status == 200 and "Admin" in body["roles"]

    def makes(self, path: str, body: dict[str, Any], **expected: Any) -> bool:
        status, answer = self.call("POST", path, body)
        if status == 201:
            kind = "/api/products" if path.endswith("/products") else path
            self.made.append(f"{kind}/{answer['id']}")
        return status == 201 and all(answer[name] == value for name, value in expected.items())

    def lists(self, path: str) -> bool:
        status, body = self.call("GET", path)
        return status == 200 and (
            isinstance(body, list) or isinstance(body.get("data", body.get("result")), list)
        )

    def refuses(self, expected: int, method: str, path: str, body: Any = None, **headers: str) -> bool:
        status, answer = self.call(method, path, body, headers)
        return status == expected and set(answer) == {"error", "message", "detail"}

    def cleans_up(self) -> bool:
        answers = [self.status("DELETE", path) for path in reversed(self.made)]
        return set(answers) == {204}

    def signs_out(self) -> bool:
        return self.status("POST", "/api/auth/logout") == 204 and self.status("GET", "/api/auth/me") == 401


def read(portal: Portal) -> None:
    """What changes nothing, and signing in."""
    wrong = {"email": "nobody@example.com", "password": "wrong"}
    portal.check("it is healthy", portal.is_healthy)
    portal.check("programs are welcomed", portal.welcomes)
    portal.check("the OpenAPI document is there", portal.has_document)
    portal.check("the docs page is there", lambda: portal.status("GET", "/docs") == 200)
    portal.check("without a token: 401", lambda: portal.refuses(401, "GET", "/api/auth/me"))
    portal.check("a wrong password: 401", lambda: portal.refuses(401, "POST", "/api/auth/login", wrong))
    portal.check("the administrator signs in", portal.signs_in)
    portal.check("and is Admin", portal.knows_me)
    lists = ("users", "services", "products", "payment-register", "inbox/tasks", "audit-logs", "v1/services/")
    for path in lists:
        portal.check(f"GET /api/{path}", lambda path=path: portal.lists(f"/api/{path}"))  # type: ignore[misc]


def write(portal: Portal, mark: str) -> None:
    """Something of each kind comes, and goes again."""
    email = f"{mark.replace(' ', '.')}@example.com"
    portal.check("a service is added", lambda: portal.makes("/api/services", {"name": mark}, name=mark))
    service = portal.made[-1] if portal.made else "/api/services/0"
    portal.check("the same again: 409", lambda: portal.refuses(409, "POST", "/api/services", {"name": mark}))
    portal.check("a product of it is added", lambda: portal.makes(f"{service}/products", {"name": mark}))
    portal.check("without a name: 422", lambda: portal.refuses(422, "POST", "/api/services", {}))
    portal.check("what is not there: 404", lambda: portal.refuses(404, "GET", "/api/services/2147483647"))
    portal.check("a person is added", lambda: portal.makes("/api/users", {"name": mark, "email": email}))
    portal.check("what was made is removed", portal.cleans_up)


def announce(portal: Portal) -> None:
    """The key and the shape of the webhooks."""
    webhook, key = "/api/webhooks/hr/onboarding", secret("HR_WEBHOOK_API_KEY").partition(",")[0]
    known = {"X-API-Key": key}
    portal.check("HR with a wrong key: 401", lambda: portal.refuses(401, "POST", webhook, {}, **NOBODY))
    portal.check("HR with an empty body: 422", lambda: portal.refuses(422, "POST", webhook, {}, **known))


def main(base: str) -> int:
    """Run every check; 1 if one fails."""
    portal = Portal(base)
    read(portal)
    write(portal, f"smoke test {secrets.token_hex(5)}")
    announce(portal)
    portal.check("signing out ends the token", portal.signs_out)
    print(f"{portal.failed} failed" if portal.failed else "all well")
    return 1 if portal.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else LOCAL))
