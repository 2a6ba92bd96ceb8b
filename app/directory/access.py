"""Administrators of anything see everybody; others see themselves."""

from flask_appbuilder.security.sqla.models import (
    ApiKey,
    Group,
    Permission,
    PermissionView,
    RegisterUser,
    Role,
    ViewMenu,
)
from sqlalchemy import ColumnElement, false, select

from app.directory.models import Account, Department, Invitation, Person, SignInLimit, SignInSession
from app.directory.token_models import ApiToken
from app.foundation.scoping import public, row_rule
from app.foundation.viewer import Viewer

ADMIN = "Admin"
SERVICE_ADMINISTRATOR = "ServiceAdministrator"
PRODUCT_ADMINISTRATOR = "ProductAdministrator"
ADMINISTRATORS = frozenset({ADMIN, SERVICE_ADMINISTRATOR, PRODUCT_ADMINISTRATOR})

for catalogue in (Role, Group, Permission, PermissionView, ViewMenu):
    public(
        catalogue,
        "the names of roles and permissions are no secret, and every check of a permission reads them",
    )


def is_administrator(viewer: Viewer) -> bool:
    """Whether somebody administers anything at all."""
    return bool(viewer.roles & ADMINISTRATORS)


@row_rule(Person)
def visible_people(viewer: Viewer) -> ColumnElement[bool] | None:
    """Whoever administers something must be able to name anybody."""
    return None if is_administrator(viewer) else Person.id == viewer.id


@row_rule(Department)
def visible_departments(viewer: Viewer) -> ColumnElement[bool] | None:
    """As for people: others see the department they are in."""
    if is_administrator(viewer):
        return None
    people = Person.__table__
    return Department.id.in_(select(people.c.department_id).where(people.c.id == viewer.id))


@row_rule(Account)
def visible_accounts(viewer: Viewer) -> ColumnElement[bool]:
    """One's own."""
    return Account.id == viewer.account_id


@row_rule(SignInSession)
def visible_sessions(viewer: Viewer) -> ColumnElement[bool]:
    """One's own."""
    return SignInSession.account_id == viewer.account_id


@row_rule(ApiToken)
def visible_tokens(viewer: Viewer) -> ColumnElement[bool]:
    """One's own; Admins see everybody's, to revoke them."""
    return ApiToken.account_id == viewer.account_id


@row_rule(Invitation)
@row_rule(ApiKey)
@row_rule(RegisterUser)
@row_rule(SignInLimit)
def admins_only(_viewer: Viewer) -> ColumnElement[bool]:
    """Nobody but Admins, whom no rule holds."""
    return false()
