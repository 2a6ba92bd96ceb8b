"""`/api/openapi.json` and `/docs`: what both APIs take and answer, for programs and for people."""

import hashlib
import json
from threading import Lock
from typing import Any

from flask import Response, current_app, request
from flask_appbuilder import BaseView
from flask_appbuilder.api import expose
from flask_appbuilder.security.schemas import login_post
from flask_appbuilder.views import expose as page

from app.foundation.api import rendered
from app.foundation.openapi import document
from app.foundation.openapi.describing import PUBLIC, REFRESH, TOKEN, Description, Shape, describes
from app.foundation.published import PublishedApi

INFO = {
    "description": "The published API under `/api` is for existing clients, scripts and HR systems; the one under "
    "`/api/v1` is generated from the models, for scripts that filter and read in bulk. Both call the same operations "
    "and show the same rows. Ids are text in the published API and numbers in the generated one.",
    "contact": {"name": "Whoever runs this portal"},
}
TAGS = {
    "auth": "Signing in, and who one is.",
    "users": "People, and what they may do.",
    "services": "Services, and the products in them.",
    "products": "Products, whatever service they are of.",
    "payment-register": "What each product costs, what pays for it and until when.",
    "inbox": "One's own tasks.",
    "audit-logs": "Who did what, when.",
    "webhooks": "What HR's system announces.",
    "openapi": "This document.",
    "v1 security": "Signing in to the generated API. Tokens are the same on both.",
}
_TOKENS = Shape("Tokens", {"access_token": TOKEN, "refresh_token": TOKEN}, optional=("refresh_token",))
_REFRESHED = Shape("RefreshedTokens", {"access_token": TOKEN, "refresh_token": TOKEN})
# The routes of FAB's own that nothing of ours stands beside.
BORROWED = {
    "SecurityApi.login": Description(
        "v1Login",
        "Sign in with e-mail and password",
        {200: _TOKENS},
        body=login_post,
        example={"username": "alice@larkspur.example", "password": "portalops demo", "provider": "db"},
        says="`username` is the e-mail, `provider` is `db`; `refresh` asks for a refresh token too.",
        security=PUBLIC,
        refuses=(401, 429),
    ),
    "SecurityApi.refresh": Description(
        "v1Refresh",
        "A new access token, and the refresh token to use next",
        {200: _REFRESHED},
        says="For a refresh token; as `/api/auth/refresh`.",
        security=REFRESH,
    ),
}
_building = Lock()


class DocumentApi(PublishedApi):
    """The document, from memory."""

    path = "/openapi.json"

    @expose("", methods=["GET"])
    @describes(
        "openapi",
        "This document",
        answers={200: {"type": "object", "example": {"openapi": "3.1.0"}}},
        security=PUBLIC,
    )
    @rendered
    def document(self) -> Any:
        """With an ETag: whoever has it already gets 304."""
        body, tag = _document()
        response = Response(body, mimetype="application/json")
        response.headers["Cache-Control"] = "no-cache"
        response.set_etag(tag)
        return response.make_conditional(request)


class DocsView(BaseView):
    """Swagger UI, from the files that Flask-AppBuilder brings."""

    route_base = "/docs"
    default_view = "index"

    @page("")
    def index(self) -> Any:
        """For everybody: the document names no row."""
        return self.render_template(
            "portal/docs.html", title="API", document=f"{request.script_root}{_prefix()}/openapi.json"
        )


def _prefix() -> str:
    return str(current_app.config["API_PREFIX"])


def _document() -> tuple[bytes, str]:
    """The document and its tag. Built by the first who asks, while the others wait."""
    kept: dict[str, tuple[bytes, str]] = current_app.extensions.setdefault("openapi", {})
    with _building:
        if "document" not in kept:
            body = json.dumps(built()).encode()
            kept["document"] = body, hashlib.sha256(body).hexdigest()
    return kept["document"]


def built() -> dict[str, Any]:
    """The document of this application."""
    app: Any = current_app
    return document.build(app, app.appbuilder.baseviews, INFO, TAGS, BORROWED)
