"""The whole document, built once per process: building costs hundreds of milliseconds, serving must not."""

import re
from typing import Any

from flask import Flask
from flask_appbuilder.api import BaseApi, ModelRestApi

from app.foundation.openapi import answers
from app.foundation.openapi.describing import Description, Json
from app.foundation.openapi.generated import GeneratedPart, exemplify
from app.foundation.openapi.published import PublishedPart, routes_of

SCHEMES: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The access token of `POST /auth/login`."},
    "refreshToken": {"type": "http", "scheme": "bearer", "description": "The refresh token of the sign-in."},
    "hrKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The HR system's key."},
    "hrSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, beside `webhook-id` and `webhook-timestamp`: `v1,` and the base64 of the "
        "HMAC-SHA256, made with the key, of `id.timestamp.body`.",
    },
}
HEADERS: Json = {
    "X-Request-ID": {"description": "Names this request in the logs.", "schema": {"type": "string"}},
    "X-Total-Count": {
        "description": "How many there are, when a page was asked for.",
        "schema": {"type": "integer"},
    },
    "Idempotency-Replayed": {
        "description": "`true` if the request was done before, under the same `Idempotency-Key`.",
        "schema": {"type": "string"},
    },
    "Link": {"description": "First, prev, next and last page (RFC 8288).", "schema": {"type": "string"}},
}


def build(app: Flask, apis: list[Any], info: Json, tags: dict[str, str], borrowed: Json) -> Json:
    """The document. Issues no SQL. A route that nothing describes is left out.

    `tags` describes the first segment of each published path; `borrowed` describes routes of classes that are not
    ours, by `Class.method`.
    """

    def roles_for(permission: str, noun: str) -> str:
        return _roles_for(app.config["FAB_ROLES"], permission, noun)

    published, generated = PublishedPart(roles_for), GeneratedPart(roles_for)
    for api in apis:
        if isinstance(api, ModelRestApi):
            if api.route_base.startswith("/api/"):
                generated.add(api)
        elif isinstance(api, BaseApi):
            _add_described(published, api, borrowed)
    _tag(published.paths, app.config["API_PREFIX"])
    document: Json = {
        "openapi": "3.1.0",
        "info": {**info, "title": f"{app.config['APP_NAME']} API", "version": app.config["VERSION"]},
        "servers": [{"url": "/", "description": "This portal."}],
        "tags": [{"name": name, "description": text} for name, text in tags.items()] + generated.tags,
        "paths": published.paths | generated.paths,
        "components": {
            "schemas": published.components() | generated.components() | {"Error": answers.SHAPE},
            "responses": answers.components(),
            "headers": HEADERS,
            "securitySchemes": SCHEMES,
        },
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            exemplify(operation, document["components"]["schemas"])
    return document


def _add_described(part: PublishedPart, api: Any, borrowed: Json) -> None:
    for path, verb, method in routes_of(api):
        told: Description | None = getattr(method, "description", None)
        told = told or borrowed.get(f"{type(api).__name__}.{method.__name__}")
        if told is not None:
            part.add(api.route_base, path, verb, method, told)


def _tag(paths: Json, prefix: str) -> None:
    for path, operations in paths.items():
        segments = path.removeprefix(prefix).strip("/").split("/")
        tag = "v1 security" if segments[0] == "v1" else segments[0].removesuffix(".json")
        for operation in operations.values():
            operation["tags"] = [tag]


def _roles_for(roles: dict[str, list[list[str]]], permission: str, noun: str) -> str:
    may = [
        name
        for name, allowed in roles.items()
        if any(re.match(one, noun) and re.match(other, permission) for one, other in allowed)
    ]
    everybody = "Employee" in may
    return "For everybody signed in." if everybody else f"For {', '.join(may)}."
