"""The published API of signing in and of people: /auth and /users."""

from typing import Any

from flask import Response, g, jsonify
from flask_appbuilder.api import expose
from flask_jwt_extended import create_access_token, create_refresh_token

from app.audit import recorder
from app.directory import callers, queries
from app.directory import operations as directory
from app.directory.models import Person
from app.directory.schemas import (
    REFRESHED,
    SIGNED_IN,
    USER,
    USER_COLUMNS,
    LoginSchema,
    UserSchema,
    user_json,
)
from app.foundation.api import rendered
from app.foundation.errors import Unauthorized
from app.foundation.idempotency import retriable
from app.foundation.openapi.describing import PAGED, PUBLIC, REFRESH, asks, describes, page_of
from app.foundation.published import (
    PublishedApi,
    done,
    each,
    found,
    found_row,
    in_person,
    needs,
    read_from,
    refuse_tokens,
    signed_in,
    tagged,
    text_asked,
    unchanged,
    wrapped_page,
)
from app.foundation.schemas import body_of_request, load
from app.foundation.transactions import transaction

WRONG = "Incorrect email or password"


class AuthApi(PublishedApi):
    """Signing in by tokens. Every token belongs to a session; ending the session ends them all."""

    path = "/auth"

    @expose("/login", methods=["POST"])
    @describes(
        "login",
        "Sign in with e-mail and password",
        answers={200: SIGNED_IN},
        body=LoginSchema(),
        example={"email": "alice@larkspur.example", "password": "portalops demo"},
        security=PUBLIC,
        refuses=(401, 429),
    )
    @rendered
    def login(self) -> Response:
        """One message for every failure. An `Idempotency-Key` is ignored: the answer is secret, and kept nowhere."""
        sent = load(LoginSchema(), body_of_request())
        account = self.appbuilder.sm.auth_user_db(sent["email"], sent["password"])
        user = callers.by_account(account.id) if account else None
        if account is None or user is None:
            raise Unauthorized(WRONG)
        viewer, identity = user.viewer, str(account.id)
        return jsonify(
            accessToken=create_access_token(identity),
            refreshToken=create_refresh_token(identity),
            user={"id": str(viewer.id or account.id), "name": viewer.name, "email": viewer.email},
        )

    @expose("/refresh", methods=["POST"])
    @describes(
        "refresh",
        "A new access token, and the refresh token to use next",
        answers={200: REFRESHED},
        security=REFRESH,
        says="Use the new refresh token from now on, or keep the one you have. A refresh token that another one "
        "replaced more than a minute ago ends the sign-in: somebody has a copy of it.",
    )
    @rendered
    def refresh(self) -> Response:
        """For a refresh token."""
        access, refresh = self.appbuilder.sm.refresh_tokens()
        return jsonify(accessToken=access, refreshToken=refresh)

    @expose("/logout", methods=["POST"])
    @describes("logout", "Sign out: every token of the session ends", answers={204: None})
    @rendered
    @in_person
    @signed_in
    def logout(self) -> Response:
        """End the session, and with it every token of it."""
        with transaction():
            recorder.record("auth.logout", target_type="account", target_id=str(g.user.id))
            directory.end_session(g.claims["sid"])
        return done()


class UsersApi(PublishedApi):
    """People, as existing clients know them."""

    path = "/users"

    @expose("", methods=["GET"])
    @describes(
        "listUsers",
        "People, by name",
        answers={200: page_of(USER)},
        takes=(
            asks(
                "search",
                "Part of a name, an e-mail or a department.",
                type="string",
                maxLength=200,
                examples=["jane"],
            ),
            *PAGED,
        ),
    )
    @rendered
    @needs("can_read", "Person")
    def listed(self) -> Response:
        """By name; `search` looks into name, e-mail and department."""
        query, values = queries.people_matching(text_asked("search"), *USER_COLUMNS)
        return wrapped_page(query, each(user_json), **values)

    @expose("", methods=["POST"])
    @describes(
        "createUser",
        "Add somebody",
        answers={201: USER},
        body=UserSchema(),
        example={"name": "Jane Doe", "email": "jane.doe@example.com", "department": "Engineering"},
        refuses=(409,),
    )
    @rendered
    @needs("can_add", "Person")
    @retriable
    def create(self) -> Response:
        """A password makes an account with it."""
        sent = load(UserSchema(), body_of_request())
        password = sent.pop("password", None)
        with transaction():
            person = directory.create_person(**_known_department(sent))
            _set_password(person, password)
        return tagged(_user(person), 201)

    @expose("/<key>", methods=["GET"])
    @describes("getUser", "One person", answers={200: USER})
    @rendered
    @needs("can_read", "Person")
    def one(self, key: str) -> Response:
        """One person."""
        return tagged(user_json(found_row(queries.people_by_name(*USER_COLUMNS), Person, key)))

    @expose("/<key>", methods=["PUT"])
    @describes(
        "changeUser",
        "Change somebody",
        answers={200: USER},
        body=UserSchema(),
        partial=True,
        example={"department": "Sales"},
        refuses=(409, 412),
    )
    @rendered
    @needs("can_edit", "Person")
    def change(self, key: str) -> Response:
        """What is not sent keeps its value."""
        person = found(Person, key)
        sent = load(UserSchema(), body_of_request(), partial=True)
        password = sent.pop("password", None)
        with transaction():
            unchanged(person, _user)
            directory.change_person(person, **_known_department(sent))
            _set_password(person, password)
        return tagged(_user(person))

    @expose("/<key>", methods=["DELETE"])
    @describes("deactivateUser", "Deactivate somebody", answers={204: None}, refuses=(409, 412))
    @rendered
    @needs("can_delete", "Person")
    def deactivate(self, key: str) -> Response:
        """Deactivated and signed out; the history stays."""
        person = found(Person, key)
        with transaction():
            unchanged(person, _user)
            directory.deactivate_person(person)
        return done()


def _user(person: Person) -> dict[str, Any]:
    return user_json(read_from(person, USER_COLUMNS))


def _set_password(person: Person, password: str | None) -> None:
    """A password opens a sign-in of its own, so no token may set one."""
    if password:
        refuse_tokens()
        directory.change_password(directory.ensure_account(person), password)


def _known_department(sent: dict[str, Any]) -> dict[str, Any]:
    """The contract names a department; one that nobody knows is kept as given."""
    if "department" in sent:
        name = sent.pop("department")
        department = queries.department_named(name)
        sent["department_id"] = department.id if department else None
        sent["department_given"] = None if department else name
    return sent
