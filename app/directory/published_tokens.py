"""The published API of personal tokens: /auth/tokens. Only for who is signed in: a token makes no tokens."""

from typing import Any

from flask import Response, current_app, g, jsonify
from flask_appbuilder.api import expose
from marshmallow import fields, validate
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.directory import operations as directory
from app.directory.token_models import ApiToken
from app.foundation.api import rendered
from app.foundation.database import db
from app.foundation.openapi.describing import ID, MAYBE_MOMENT, MOMENT, TEXT, TOKEN, Many, Shape, describes
from app.foundation.published import PublishedApi, done, found, in_person, needs
from app.foundation.schemas import PortalSchema, Text, body_of_request, load
from app.foundation.transactions import transaction

API_TOKEN = Shape(
    "ApiToken",
    {
        "id": ID,
        "name": TEXT,
        "owner": {"type": "string", "format": "email", "examples": ["jane.doe@example.com"]},
        "scopes": {"type": "array", "items": {"type": "string"}, "examples": [["services:read"]]},
        "state": {"type": "string", "enum": ["active", "expired", "revoked"]},
        "expiresOn": {"type": "string", "format": "date", "examples": ["2031-03-01"]},
        "createdAt": MOMENT,
        "lastUsedAt": MAYBE_MOMENT,
        "revokedAt": MAYBE_MOMENT,
    },
)
NEW_API_TOKEN = Shape("NewApiToken", {**API_TOKEN.properties, "token": TOKEN})


class ApiTokenSchema(PortalSchema):
    """A token to be made."""

    name = Text(100, required=True)
    scopes = fields.List(fields.String(validate=validate.Length(max=100)), required=True)
    expires_on = fields.Date(required=True)


class TokensApi(PublishedApi):
    """Personal tokens: one's own; an Admin lists and revokes everybody's."""

    path = "/auth/tokens"

    @expose("", methods=["GET"])
    @describes("listTokens", "Personal API tokens, newest first", answers={200: Many(API_TOKEN)})
    @rendered
    @in_person
    @needs("can_read", "ApiToken")
    def listed(self) -> Response:
        """Without secrets: those are kept nowhere."""
        query = select(ApiToken).options(joinedload(ApiToken.account)).order_by(ApiToken.id.desc())
        return jsonify([token_json(token) for token in db.session.scalars(query)])

    @expose("", methods=["POST"])
    @describes(
        "createToken",
        "Make a personal API token; its secret is in this answer and nowhere else",
        answers={201: NEW_API_TOKEN},
        body=ApiTokenSchema(),
        example={"name": "Nightly import", "scopes": ["services:read"], "expiresOn": "2031-03-01"},
    )
    @rendered
    @in_person
    @needs("can_add", "ApiToken")
    def create(self) -> Response:
        """For oneself only. An `Idempotency-Key` is ignored: the answer is secret, and kept nowhere."""
        sent = load(ApiTokenSchema(), body_of_request())
        resources = set(current_app.appbuilder.sm.scope_resources.values())  # type: ignore[attr-defined]
        with transaction():
            token, secret = directory.create_token(g.user.id, resources=resources, **sent)
        response = jsonify({**token_json(token), "token": secret})
        response.status_code = 201
        return response

    @expose("/<key>", methods=["DELETE"])
    @describes("revokeToken", "Revoke a personal API token", answers={204: None})
    @rendered
    @in_person
    @needs("can_delete", "ApiToken")
    def revoke(self, key: str) -> Response:
        """At once. The row stays, for the audit log."""
        token = found(ApiToken, key)
        with transaction():
            directory.revoke_token(token)
        return done()


def token_json(token: ApiToken) -> dict[str, Any]:
    """A token of the contract."""
    return {
        "id": str(token.id),
        "name": token.name,
        "owner": token.account.email,
        "scopes": token.scopes,
        "state": token.state,
        "expiresOn": token.expires_on.isoformat(),
        "createdAt": token.created_at,
        "lastUsedAt": token.last_used_at,
        "revokedAt": token.revoked_at,
    }
