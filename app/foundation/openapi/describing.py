"""What a route says about itself, beside the route: `@describes(...)`. A route that says nothing fails a test."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema

Json = dict[str, Any]

ID: Json = {"type": "string", "examples": ["17"]}
MAYBE_ID: Json = {"type": ["string", "null"], "examples": ["17"]}
TEXT: Json = {"type": "string", "examples": ["Engineering"]}
MAYBE_TEXT: Json = {"type": ["string", "null"], "examples": ["Engineering"]}
EMAIL: Json = {"type": "string", "examples": ["jane.doe@example.com"]}
FLAG: Json = {"type": "boolean", "examples": [True]}
COUNT: Json = {"type": "integer", "minimum": 0, "examples": [1]}
MOMENT: Json = {"type": "string", "format": "date-time", "examples": ["2031-03-01T09:00:00+00:00"]}
MAYBE_MOMENT: Json = {**MOMENT, "type": ["string", "null"]}
MAYBE_DATE: Json = {"type": ["string", "null"], "format": "date", "examples": ["2031-03-01"]}
TOKEN: Json = {"type": "string", "examples": ["eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl"]}

# Security requirements, by the schemes of `document.py`.
PUBLIC: list[Json] = []
BEARER: list[Json] = [{"bearer": []}]
REFRESH: list[Json] = [{"refreshToken": []}]
HR: list[Json] = [{"hrKey": []}, {"hrSignature": []}]


@dataclass(frozen=True, eq=False)
class Shape:
    """An object of the contract; becomes a component. Every property is there, unless it is optional."""

    name: str
    properties: Json
    optional: tuple[str, ...] = ()

    def schema(self) -> Json:
        """As JSON Schema."""
        required = [name for name in self.properties if name not in self.optional]
        return {"type": "object", "properties": self.properties, "required": required}


@dataclass(frozen=True, eq=False)
class Many:
    """A bare array, which carries its total and links when a page of it was asked for."""

    item: Shape

    def schema(self) -> Json:
        """As JSON Schema."""
        return {"type": "array", "items": self.item}


PAGINATION = Shape("Pagination", {"total": COUNT, "page": COUNT, "limit": COUNT})


def page_of(item: Shape) -> Json:
    """A wrapped list."""
    properties = {"data": {"type": "array", "items": item}, "pagination": PAGINATION}
    return {"type": "object", "properties": properties, "required": list(properties)}


def asks(name: str, description: str, **schema: Any) -> Json:
    """A query parameter; text unless the schema says otherwise."""
    return {
        "in": "query",
        "name": name,
        "description": description,
        "schema": schema or {"type": "string", "maxLength": 200},
    }


def header(name: str, description: str, example: str) -> Json:
    """A header that a client may send."""
    schema = {"type": "string", "maxLength": 200, "examples": [example]}
    return {"in": "header", "name": name, "description": description, "schema": schema}


IF_MATCH = header(
    "If-Match",
    "The ETag of what you saw: 412 if something else stands there by now.",
    '"9f86d081884c7d659a2feaa0c55ad015"',
)
IDEMPOTENCY_KEY: Json = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Your name for this request: within 24 hours the same request under the same key makes nothing new "
    "and gets the same answer, with `Idempotency-Replayed: true`; another body under it is 409.",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "pattern": "^[ -~]+$",
        "examples": ["import-4711"],
    },
}
PAGED: tuple[Json, ...] = (
    asks("page", "The page, from 1.", type="integer", minimum=1, maximum=2**31 - 1, examples=[1]),
    asks(
        "limit", "How many on a page; 20 if not given.", type="integer", minimum=1, maximum=100, examples=[20]
    ),
)


@dataclass(frozen=True)
class Description:
    """One operation. `refuses` adds to the errors that follow from security, parameters and body."""

    operation: str
    summary: str
    answers: dict[int, Any]
    body: Schema | None = None
    example: Json | None = None
    partial: bool = False
    takes: tuple[Json, ...] = ()
    refuses: tuple[int, ...] = ()
    security: list[Json] | None = None
    says: str = field(default="")


def describes(
    operation: str, summary: str, **rest: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep the description on the route; the fields are those of Description."""
    description = Description(operation, summary, **rest)

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        method.description = description  # type: ignore[attr-defined]
        return method

    return decorate
