"""The errors that an operation may answer with, in the contract's shape, and an example of what it answers else."""

from http import HTTPStatus
from typing import Any

from app.foundation.openapi.describing import IDEMPOTENCY_KEY, Json
from app.foundation.rendering import CODES as RENDERED
from app.foundation.rendering import MESSAGES

CODES = {**RENDERED, 412: "precondition_failed"}
# What no operation of the document answers: the method does not belong to it, or what was sent is read as JSON anyway.
_OUTSIDE = {405, 415}

SHAPE: Json = {
    "type": "object",
    "description": "What every refusal looks like, on both APIs.",
    "properties": {
        "error": {"type": "string", "enum": sorted(set(CODES.values()))},
        "message": {"type": "string", "description": "For people."},
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["error", "message", "detail"],
}
_OF_STATUS = {401: {"WWW-Authenticate": "`Bearer`."}}
_WAIT = {"Retry-After": "After how many seconds to try again."}
_ALWAYS = {400, 500, 503}
_SAMPLES: dict[str, Any] = {"integer": 1, "number": 1, "boolean": True, "null": None}
_NAMED = {"url": "https://www.example.com", "email": "jane.doe@example.com"}
_FORMATS = {"date": "2031-03-01", "date-time": "2031-03-01T09:00:00+00:00", "email": "jane.doe@example.com"}


def components() -> Json:
    """A response for each status of the contract."""
    return {str(status): _response(status, code) for status, code in CODES.items() if status not in _OUTSIDE}


def _response(status: int, code: str) -> Json:
    detail = [{"field": "name", "message": "This field is required."}] if status == 422 else []
    message = MESSAGES.get(status, "Some fields are not valid." if detail else "This can't be done now.")
    schema = {"$ref": "#/components/schemas/Error", "properties": {"error": {"const": code}}}
    content = {"schema": schema, "example": {"error": code, "message": message, "detail": detail}}
    headers = _OF_STATUS.get(status, _WAIT if status in {429, 503} else {})
    return {
        "description": f"`{code}`: {message}",
        "content": {"application/json": content},
        "headers": {
            name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
        },
    }


def refusals(path: str, operation: Json, *, needs_role: bool, more: tuple[int, ...] = ()) -> Json:
    """The errors that follow from an operation's own description: nobody has to list what is always so."""
    found = _ALWAYS | set(more)
    if operation["security"]:
        found |= {401}
    if needs_role:
        found |= {403}
    if "{" in path:
        found |= {404}
    if operation.get("parameters"):
        found |= {422}
    if "requestBody" in operation:
        found |= {413, 422}
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(found)}


def success(status: int, schema: Json | None) -> Json:
    """A response with this body, or none."""
    response: Json = {
        "description": HTTPStatus(status).phrase,
        "headers": {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}},
    }
    if schema is not None:
        response["content"] = {"application/json": {"schema": schema}}
    return response


def may_be_replayed(operation: Json) -> Json:
    """An operation that takes an `Idempotency-Key`: the parameter, the conflict, and what a replay says of itself."""
    responses = operation["responses"] | {"409": {"$ref": "#/components/responses/409"}}
    for status, response in responses.items():
        if status.startswith("2"):
            response["headers"]["Idempotency-Replayed"] = {
                "$ref": "#/components/headers/Idempotency-Replayed"
            }
    parameters = [*operation.get("parameters", []), IDEMPOTENCY_KEY]
    return operation | {"parameters": parameters, "responses": dict(sorted(responses.items()))}


def sample(schema: Json, known: Json, name: str = "") -> Any:
    """A value that fits, for those schemas that bring no example of their own; `name` is the property's."""
    if "$ref" in schema:
        return sample(known[schema["$ref"].rpartition("/")[2]], known)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], known, name)
    for given in (
        [schema["example"]] if "example" in schema else [],
        schema.get("examples"),
        schema.get("enum"),
    ):
        if given:
            return given[0]
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        return {one: sample(inner, known, one) for one, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema.get("items", {}), known)]
    return _SAMPLES.get(kind, _FORMATS.get(schema.get("format", ""), _NAMED.get(name, "text")))
