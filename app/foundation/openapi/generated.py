"""The generated API's part of the document: FAB's own description of it, corrected where ours differs.

FAB 5.3 says that ids are text, that a POST answers what was sent, knows another shape of errors, and lists no 403 or 409.
"""

import warnings
from collections.abc import Callable
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask_appbuilder.api.manager import resolver

from app.foundation.openapi.answers import may_be_replayed, refusals, sample, success
from app.foundation.openapi.describing import BEARER, Json, asks

_ROUTES = {
    "get_list": ("List", "List {}, filtered, ordered and paged"),
    "get": ("Get", "One of the {}"),
    "info": ("Info", "What one may do with {} and filter by"),
    "post": ("Create", "Add to the {}"),
    "put": ("Change", "Change one of the {}; what is not sent keeps its value"),
    "delete": ("Delete", "Remove one of the {}"),
}
_MORE = {"post": (409,), "put": (409,), "delete": (409, 422)}
_KEY: Json = {"type": "integer", "examples": [1]}
_COLUMNS: Json = {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}}
_AFTER: Json = asks(
    "after",
    "Instead of page numbers: rows by id, after this one (0 to begin with). As fast at the end of a long table as at "
    "its beginning; nothing is counted, and `next` is what to ask for next.",
    type="integer",
    minimum=0,
    maximum=2**31 - 1,
    examples=[0],
)
_NEXT: Json = {
    "type": ["integer", "null"],
    "description": "With `after`: the `after` of the next page, null on the last one.",
    "examples": [None],
}
_PK: Json = {
    "in": "path",
    "name": "pk",
    "required": True,
    "schema": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
}


class GeneratedPart:
    """Collects paths and components."""

    def __init__(self, roles_for: Callable[[str, str], str]) -> None:
        plugin = MarshmallowPlugin(schema_name_resolver=resolver)
        self.spec = APISpec(title="", version="", openapi_version="3.1.0", plugins=[plugin])
        self.roles_for = roles_for
        self.paths: Json = {}
        self.tags: list[Json] = []

    def add(self, api: Any) -> None:
        """Every route of a model's API."""
        with warnings.catch_warnings():
            # One schema serves POST and PUT.
            warnings.simplefilter("ignore", UserWarning)
            api.add_api_spec(self.spec)
        tag = f"v1 {api.resource_name}"
        self.tags.append({"name": tag, "description": (api.__doc__ or "").strip()})
        self._correct_columns(api)
        paths = self.spec.to_dict()["paths"]
        for name in _ROUTES:
            if name in api.exclude_route_methods:
                continue
            for url, verbs in getattr(api, name)._urls:  # noqa: SLF001 - FAB keeps them there
                path = api.path_helper(path=url)
                for verb in verbs:
                    operation = paths[path][verb.lower()]
                    self.paths.setdefault(path, {})[verb.lower()] = self._corrected(
                        api, name, path, operation
                    ) | {"tags": [tag]}

    def components(self) -> Json:
        """FAB's; a PUT may leave out anything, and a list may be asked for some columns only."""
        schemas: Json = self.spec.to_dict()["components"]["schemas"]
        for name, schema in schemas.items():
            if not name.endswith(".post"):
                schema.pop("required", None)
        return schemas

    def _correct_columns(self, api: Any) -> None:
        """FAB leaves the types of foreign keys out, and takes a list of related rows for one that is always there."""
        schemas, named, data = self.spec.components.schemas, type(api).__name__, api.datamodel
        for name in ("post", "put"):
            if name in api.exclude_route_methods:
                del schemas[f"{named}.{name}"]
        for name in ("get", "get_list"):
            properties = schemas[f"{named}.{name}"]["properties"]
            for column, schema in properties.items():
                properties[column] = self._corrected_column(data, column, schema)

    @staticmethod
    def _corrected_column(data: Any, column: str, schema: Json) -> Json:
        if "$ref" in schema and (
            data.is_relation_many_to_many(column) or data.is_relation_one_to_many(column)
        ):
            return {"type": "array", "items": schema}
        if "$ref" in schema:
            return {"anyOf": [schema, {"type": "null"}]}
        if data.is_numeric(column):
            # Decimals travel as text, because a client's floating point would change them.
            return {"type": ["string", "null"], "examples": ["6.000"]}
        if not schema and column.endswith("_id"):
            return {"type": ["integer", "null"]}
        return schema

    def _corrected(self, api: Any, name: str, path: str, operation: Json) -> Json:
        word, summary = _ROUTES[name]
        noun, named = api.resource_name.replace("-", " "), api.__class__.__name__
        permission = f"can_{api.method_permission_name[name]}"
        corrected: Json = {
            "operationId": f"v1{word}{noun.title().replace(' ', '')}",
            "summary": summary.format(noun),
            "description": f"{(api.__doc__ or '').strip()} {self.roles_for(permission, api.noun)}",
            "security": BEARER,
            "parameters": [
                _PK if one["name"] == "pk" else _asked(api, name, one)
                for one in operation.get("parameters", [])
            ],
        }
        if name == "get_list":
            corrected["parameters"].append(_AFTER)
        if "requestBody" in operation:
            corrected["requestBody"] = operation["requestBody"]
        answer = self._answer(name, named, operation)
        refused = refusals(path, corrected, needs_role=True, more=_MORE.get(name, ()))
        corrected["responses"] = answer | refused
        return may_be_replayed(corrected) if name == "post" else corrected

    @staticmethod
    def _answer(name: str, named: str, operation: Json) -> Json:
        if name == "delete":
            return {"200": success(200, {"type": "object", "properties": {"message": {"type": "string"}}})}
        status = 201 if name == "post" else 200
        if name in {"post", "put"}:
            result = {"$ref": f"#/components/schemas/{named}.get"}
            schema: Json = {"type": "object", "properties": {"id": _KEY, "result": result}}
            return {str(status): success(status, schema | {"required": ["id", "result"]})}
        content = operation["responses"]["200"]["content"]["application/json"]
        properties = content["schema"]["properties"]
        if name == "info":
            properties |= {"add_columns": _COLUMNS, "edit_columns": _COLUMNS}
        if name == "get":
            properties["id"] = _KEY
        if name == "get_list":
            properties["ids"] = {"type": "array", "items": _KEY}
            properties["next"] = _NEXT
            properties["count"] = {"type": "integer", "minimum": 0, "examples": [1]}
        return {"200": success(200, content["schema"])}


def _asked(api: Any, name: str, parameter: Json) -> Json:
    """FAB's `q`, with something to try: in Rison or, as here, in JSON."""
    examples: Json = {
        "get_list": {
            "filters": [{"col": "id", "opr": "gt", "value": 1}] if "id" in api.search_columns else [],
            "order_column": next(iter(api.order_columns or api.list_columns)),
            "order_direction": "asc",
            "page": 0,
            "page_size": 20,
        },
        "get": {"columns": ["id"]},
        "info": {"keys": ["permissions"]},
    }
    content = {**parameter["content"]["application/json"], "example": examples[name]}
    return {
        **parameter,
        "description": "What to answer, in Rison or JSON.",
        "content": {"application/json": content},
    }


def exemplify(operation: Json, known: Json) -> None:
    """Give parameters, bodies and answers without an example one that fits."""
    operation["parameters"] = [
        {**one, "example": sample(one["schema"], known)} if "schema" in one else one
        for one in operation["parameters"]
    ]
    contents = [operation.get("requestBody", {}), *operation["responses"].values()]
    for holder in contents:
        content = holder.get("content", {}).get("application/json")
        if content and "example" not in content:
            content["example"] = sample(content["schema"], known)
