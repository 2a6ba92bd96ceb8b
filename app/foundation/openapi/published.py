"""The published API's part of the document: every route that `@describes` itself."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from app.foundation.openapi.answers import may_be_replayed, refusals, success
from app.foundation.openapi.describing import BEARER, IF_MATCH, Description, Json, Many, Shape
from app.foundation.schemas import Key, Text

_PATH_NAMES = {"key": "id", "product_key": "productId"}
_SNAKE = re.compile(r"_([a-z])")
_LIST_HEADERS = {
    "X-Total-Count": {"$ref": "#/components/headers/X-Total-Count"},
    "Link": {"$ref": "#/components/headers/Link"},
}


def routes_of(api: Any) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Path below the API's base, HTTP method, and the method that answers."""
    for name in dir(type(api)):
        method = getattr(type(api), name)
        if name not in api.exclude_route_methods:
            for path, verbs in getattr(method, "_urls", []):
                yield from ((path, verb.lower(), method) for verb in verbs)


def body_name(schema: Any) -> str:
    """The component of a body: `UserBody` for UserSchema."""
    return type(schema).__name__.removesuffix("Schema") + "Body"


def _as_clients_send(self: Any, field: Any, **options: Any) -> Json:  # noqa: ARG001 - apispec binds it
    """Ids travel as text and are taken as numbers too; what is required is not blank."""
    found: Json = options["ret"]
    if isinstance(field, Key):
        found |= {"type": ["string", "integer"], "pattern": "^[0-9]+$"}
        found["type"] += ["null"] if field.allow_none else []
    if isinstance(field, Text) and field.required:
        found["minLength"] = 1
    return found


class PublishedPart:
    """Collects paths and components."""

    def __init__(self, roles_for: Callable[[str, str], str]) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=lambda given: body_name(_instance(given)))
        self.spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[plugin])
        self.roles_for = roles_for
        if plugin.converter is not None:
            plugin.converter.add_attribute_function(_as_clients_send)  # type: ignore[no-untyped-call]
        self.shapes: Json = {}
        self.paths: Json = {}

    def components(self) -> Json:
        """Bodies with their names as clients write them, and the shapes of answers."""
        bodies = self.spec.to_dict()["components"].get("schemas", {})
        return {name: _camel(schema) for name, schema in bodies.items()} | self.shapes

    def add(self, base: str, path: str, verb: str, method: Callable[..., Any], told: Description) -> None:
        """One operation."""
        names = re.findall(r"<(?:[^:<>]+:)?([^<>]+)>", path)
        for name in names:
            path = re.sub(rf"<[^<>]*\b{name}>", f"{{{_PATH_NAMES.get(name, name)}}}", path)
        access = getattr(method, "access", None)
        operation: Json = {
            "operationId": told.operation,
            "summary": told.summary,
            "description": self._story(method, told, access),
            "security": told.security if told.security is not None else BEARER,
            "parameters": [_path_parameter(_PATH_NAMES.get(name, name)) for name in names],
        }
        operation["parameters"] += told.takes
        if 412 in told.refuses:
            operation["parameters"].append(IF_MATCH)
        if told.body is not None:
            operation["requestBody"] = self._body(told)
        operation["responses"] = {
            str(status): self._answer(status, given) for status, given in told.answers.items()
        } | refusals(path, operation, needs_role=access is not None, more=told.refuses)
        if getattr(method, "retriable", False):
            operation = may_be_replayed(operation)
        self.paths.setdefault(base + path, {})[verb] = operation

    def _story(self, method: Callable[..., Any], told: Description, access: tuple[str, str] | None) -> str:
        story = told.says or (method.__doc__ or "").strip().partition("\n\n")[0]
        return f"{story} {self.roles_for(*access)}" if access else story

    def _body(self, told: Description) -> Json:
        schema = told.body
        name = body_name(schema)
        if told.partial and schema is not None:
            schema, name = type(schema)(partial=True), name.removesuffix("Body") + "Changes"
        if name not in self.spec.components.schemas:
            self.spec.components.schema(name, schema=schema)
        content = {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": told.example}
        return {"required": True, "content": {"application/json": content}}

    def _answer(self, status: int, given: Any) -> Json:
        response = success(status, None if given is None else self._plain(given))
        if isinstance(given, Many):
            response["headers"] |= _LIST_HEADERS
        return response

    def _plain(self, given: Any) -> Any:
        if isinstance(given, Shape):
            if given.name not in self.shapes:
                self.shapes[given.name] = {}
                self.shapes[given.name] = self._plain(given.schema())
            return {"$ref": f"#/components/schemas/{given.name}"}
        if isinstance(given, Many):
            return self._plain(given.schema())
        if isinstance(given, dict):
            return {name: self._plain(inner) for name, inner in given.items()}
        return [self._plain(inner) for inner in given] if isinstance(given, list) else given


def _instance(schema: Any) -> Schema:
    made: Schema = schema() if isinstance(schema, type) else schema
    return made


def _path_parameter(name: str) -> Json:
    return {"in": "path", "name": name, "required": True, "schema": {"type": "string", "examples": ["17"]}}


def _camel(schema: Json) -> Json:
    def hump(name: str) -> str:
        return _SNAKE.sub(lambda found: found[1].upper(), name)

    changed = {**schema, "properties": {hump(name): one for name, one in schema["properties"].items()}}
    if "required" in schema:
        changed["required"] = [hump(name) for name in schema["required"]]
    return changed
