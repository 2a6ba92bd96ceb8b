"""The published API of signing in and of people: /auth and /users."""

from typing import Any

from flask import Response, g, jsonify
from flask_appbuilder.api import expose
from flask_jwt_extended import create_access_token, create_refresh_token, get_jwt, verify_jwt_in_request

from app.audit import recorder
from app.directory import operations as directory
from app.directory import queries
from app.directory.models import Person
from app.directory.schemas import LoginSchema, UserSchema, user_json
from app.foundation.api import rendered
from app.foundation.errors import Unauthorized
from app.foundation.published import PublishedApi, done, found, needs, signed_in, text_asked, wrapped
from app.foundation.schemas import body_of_request, load
from app.foundation.transactions import transaction

WRONG = "Incorrect email or password"


class AuthApi(PublishedApi):
    """Signing in by tokens. Every token belongs to a session; ending the session ends them all."""

    path = "/auth"

    @expose("/login", methods=["POST"])
    @rendered
    def login(self) -> Response:
        """One message for every failure."""
        sent = load(LoginSchema(), body_of_request())
        account = self.appbuilder.sm.auth_user_db(sent["email"], sent["password"])
        if account is None:
            raise Unauthorized(WRONG)
        viewer = queries.viewer_of(account)
        identity = str(account.id)
        return jsonify(
            accessToken=create_access_token(identity),
            refreshToken=create_refresh_token(identity),
            user={"id": str(viewer.id or account.id), "name": viewer.name, "email": viewer.email},
        )

    @expose("/refresh", methods=["POST"])
    @rendered
    def refresh(self) -> Response:
        """A new access token for a refresh token."""
        verify_jwt_in_request(refresh=True)
        claims = get_jwt()
        g.sign_in_session = claims["sid"]
        return jsonify(accessToken=create_access_token(claims["sub"]))

    @expose("/logout", methods=["POST"])
    @rendered
    @signed_in
    def logout(self) -> Response:
        """End the session, and with it every token of it."""
        with transaction():
            recorder.record("auth.logout", target_type="account", target_id=str(g.user.id))
            directory.end_session(get_jwt()["sid"])
        return done()


class UsersApi(PublishedApi):
    """People, as existing clients know them."""

    path = "/users"

    @expose("", methods=["GET"])
    @rendered
    @needs("can_read", "Person")
    def listed(self) -> Response:
        """By name; `search` looks into name, e-mail and department."""
        return wrapped(queries.people_matching(text_asked("search")), user_json)

    @expose("", methods=["POST"])
    @rendered
    @needs("can_add", "Person")
    def create(self) -> Response:
        """A password makes an account with it."""
        sent = load(UserSchema(), body_of_request())
        password = sent.pop("password", None)
        with transaction():
            person = directory.create_person(**_known_department(sent))
            if password:
                directory.change_password(directory.ensure_account(person), password)
        response = jsonify(user_json(person))
        response.status_code = 201
        return response

    @expose("/<key>", methods=["GET"])
    @rendered
    @needs("can_read", "Person")
    def one(self, key: str) -> Response:
        """One person."""
        return jsonify(user_json(found(Person, key)))

    @expose("/<key>", methods=["PUT"])
    @rendered
    @needs("can_edit", "Person")
    def change(self, key: str) -> Response:
        """What is not sent keeps its value."""
        person = found(Person, key)
        sent = load(UserSchema(), body_of_request(), partial=True)
        password = sent.pop("password", None)
        with transaction():
            directory.change_person(person, **_known_department(sent))
            if password:
                directory.change_password(directory.ensure_account(person), password)
        return jsonify(user_json(person))

    @expose("/<key>", methods=["DELETE"])
    @rendered
    @needs("can_delete", "Person")
    def deactivate(self, key: str) -> Response:
        """Deactivated and signed out; the history stays."""
        person = found(Person, key)
        with transaction():
            directory.deactivate_person(person)
        return done()


def _known_department(sent: dict[str, Any]) -> dict[str, Any]:
    """The contract names a department; one that nobody knows is kept as given."""
    if "department" in sent:
        name = sent.pop("department")
        department = queries.department_named(name)
        sent["department_id"] = department.id if department else None
        sent["department_given"] = None if department else name
    return sent
