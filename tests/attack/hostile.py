"""Values that no field asked for, and who to send them to: found by asking the application, so new routes are covered."""

import re
from collections.abc import Iterator
from typing import Any

from flask import Flask
from itsdangerous import URLSafeTimedSerializer

from app.foundation.database import Model, db
from app.foundation.schemas import PortalSchema
from tests.attack.doors import NO_SUCH_KEY
from tests.cast import World
from tests.visitor import Visitor, apart

DEEP = 2_000
# As they stand in a JSON text, because no JSON writer makes half of them.
JSON_VALUES = {
    "NUL": r'"a\u0000b"',
    "lone surrogate": r'"\ud800"',
    "control": r'"\u0007\u001b"',
    "long": f'"{"x" * 70_000}"',
    "blank": '"  "',
    "quote": '"\' OR 1=1; --"',
    "huge": str(2**70),
    "huge text": f'"{2**70}"',
    "digits": "9" * 5_000,
    "negative": "-1",
    "negative text": '"-1"',
    "float": "1.5",
    "NaN": "NaN",
    "infinity": "1e400",
    "true": "true",
    "null": "null",
    "far date": '"9999-12-31"',
    "first date": '"0001-01-01"',
    "no date": '"2026-02-30"',
    "empty list": "[]",
    "empty object": "{}",
    "list of null": "[null]",
    "list of NUL": r'["\u0000"]',
    "list of huge": f"[{2**70}]",
    "object": '{"a": {"b": [1]}}',
    "deep list": "[" * DEEP + "]" * DEEP,
    "deep object": '{"a":' * DEEP + "1" + "}" * DEEP,
    "other digits": '"\u0661\u0662"',
}
# As they stand in a form or an address; the last two are no UTF-8.
TEXTS = {
    "NUL": b"a%00b",
    "control": b"%07%1B",
    "long": b"x" * 70_000,
    "blank": b"%20",
    "quote": b"%27%20OR%201=1;%20--",
    "huge": str(2**70).encode(),
    "int8": str(2**40).encode(),
    "digits": b"9" * 5_000,
    "negative": b"-1",
    "float": b"1.5",
    "NaN": b"NaN",
    "true": b"true",
    "list": b"[1,2]",
    "traversal": b"..%2F..%2Fetc%2Fpasswd",
    "template": b"%7B%7B7*7%7D%7D%25s%25%28x%29s",
    "no date": b"2026-02-30",
    "other digits": "\u0661".encode(),
    "no UTF-8": b"%FF%FE",
    "surrogate": b"%ED%A0%80",
}
SHORT = {name: value for name, value in TEXTS.items() if len(value) < 1_000}
LEAKS = re.compile(
    r"psycopg|sqlalchemy|werkzeug|marshmallow|Traceback|File \"|site-packages"
    r"|\b(SELECT|INSERT INTO|UPDATE) \w|\b[A-Z]\w+(Error|Exception)\b"
)


class Faults:
    """What went wrong, collected, so that one run names all of it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.asked = 0

    def judge(self, what: str, answer: Any, *, published: bool) -> None:
        """Note a server error, a leak, or an error that is not in the contract's shape."""
        self.asked += 1
        text = answer.text
        if answer.status_code >= 500:
            self.found.append(f"{what} -> {answer.status_code}")
        elif answer.status_code >= 400 and published and not in_shape(answer):
            self.found.append(f"{what} -> {answer.status_code} in another shape: {text[:120]}")
        if answer.status_code >= 400 and (leak := LEAKS.search(text)):
            self.found.append(f"{what} -> {answer.status_code} says {leak.group()}")

    def note(self, fault: str) -> None:
        """Note anything else."""
        self.found.append(fault)

    def must_be_none(self, at_least: int) -> None:
        """Fail with the list, or if this looked at less than it must."""
        assert self.found == [], "\n" + "\n".join(self.found[:60])
        assert self.asked >= at_least, self.asked


def in_shape(answer: Any) -> bool:
    """Whether an error has the contract's shape."""
    body = answer.get_json(silent=True)
    return (
        isinstance(body, dict)
        and set(body) == {"error", "message", "detail"}
        and isinstance(body["error"], str)
        and bool(body["message"])
        and all(set(one) == {"field", "message"} for one in body["detail"])
    )


def field_names() -> list[str]:
    """Every field that any schema knows."""

    def below(kind: type[Any]) -> Iterator[type[Any]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    names = {name for kind in below(PortalSchema) for name in kind._declared_fields}
    return sorted(names | {"username", "refresh", "provider"})


def keys(app: Flask, world: World) -> dict[str, Any]:
    """A row of each view and API, by the name of the blueprint."""
    found: dict[str, Any] = {}
    with app.app_context():
        for view in app.appbuilder.baseviews:
            model = getattr(getattr(view, "datamodel", None), "obj", None)
            if isinstance(model, type) and issubclass(model, Model) and hasattr(model, "id"):
                found[view.blueprint.name] = db.session.scalar(db.select(db.func.max(model.id)))
        db.session.rollback()
    person, service, product = world.people["dora"], world.services["Slack"], world.products["Slack Business"]
    found["InboxApi"] = found.get("TaskApi")
    found |= {"AccessApi": person, "UsersApi": person, "ServicesApi": service, "ProductsApi": product}
    found["PaymentRegisterApi"] = product
    return found


def path_of(rule: Any, known: dict[str, Any], *, key: Any = None) -> str:
    """A rule's address with a row that is there, or with the key given."""
    row = known.get(rule.endpoint.partition(".")[0]) or NO_SUCH_KEY
    path = re.sub(r"<[^>]*(pk|id|key)>", str(row if key is None else key), rule.rule)
    return re.sub(r"<[^>]*>", "nonsense" if key is None else str(key), path)


def send(visitor: Visitor, method: str, path: str, **options: Any) -> Any:
    """A program's request with a token, and HR's key where HR calls; `headers` adds to these."""
    headers = {"Authorization": f"Bearer {visitor.token}", **options.pop("headers", {})}
    client = visitor.app.test_client()
    return apart(client.open, path, method=method, headers=headers, **options)


def browse(visitor: Visitor, method: str, path: str, query: bytes = b"", form: bytes | None = None) -> Any:
    """A browser's request with raw text in the address or in the form."""
    options: dict[str, Any] = {"query_string": query.decode("latin-1")}
    if form is not None:
        options |= {
            "data": form + b"&csrf_token=" + _token(visitor),
            "content_type": "application/x-www-form-urlencoded",
        }
    return apart(visitor.client.open, path, method=method, **options)


def _token(visitor: Visitor) -> bytes:
    with visitor.client.session_transaction() as session:
        raw = session.setdefault("csrf_token", "a" * 40)
    signed: str = URLSafeTimedSerializer(visitor.app.secret_key, salt="wtf-csrf-token").dumps(raw)
    return signed.encode()
