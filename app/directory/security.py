"""FAB's security manager with our sign-in, our sessions, and permission checks that cost no statement for fixed roles."""

import re
from functools import cached_property, lru_cache
from typing import Any

from flask import current_app, g, request, session
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_jwt_extended import create_access_token, create_refresh_token, verify_jwt_in_request
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.directory import callers
from app.directory import operations as directory
from app.directory.callers import SignedIn
from app.directory.known_tokens import KnownTokens
from app.directory.models import Account, Group, Permission, PermissionView, Role, ViewMenu
from app.directory.security_views import (
    AccountView,
    GroupView,
    PermissionsView,
    ResetMyPasswordView,
    ResetPasswordView,
    RolePermissionsView,
    RoleView,
    SecurityApi,
    SignInView,
    UserInfoView,
    ViewMenusView,
)
from app.foundation.api import PortalModelApi
from app.foundation.database import db
from app.foundation.errors import Unauthorized
from app.foundation.fab import PortalInterface
from app.foundation.references import parse_key
from app.foundation.rendering import error_response
from app.foundation.transactions import transaction
from app.foundation.viewer import Viewer, current_viewer, forget_viewer, viewer_loader

EMPLOYEE = "Employee"


class PortalSecurityManager(SecurityManager):
    """Who may press which button. Roles of `roles.py` are fixed patterns; a grant on FAB's role page adds to them.

    Everybody signed in has what `EMPLOYEE` allows. Nothing is public.
    """

    authdbview = SignInView
    userdbmodelview = AccountView
    rolemodelview = RoleView
    groupmodelview = GroupView
    permissionmodelview = PermissionsView
    viewmenumodelview = ViewMenusView
    permissionviewmodelview = RolePermissionsView
    resetpasswordview = ResetPasswordView
    resetmypasswordview = ResetMyPasswordView
    userinfoeditview = UserInfoView
    security_api = SecurityApi
    userstatschartview = None

    def __init__(self, appbuilder: Any) -> None:
        self.known_tokens = KnownTokens()
        super().__init__(appbuilder)
        self._line = directory.Line(places=current_app.config["SIGN_INS_AT_ONCE"])
        # FAB has just set plain interfaces on these classes; ours load what the lists show.
        AccountView.datamodel = PortalInterface(
            Account, selectinload(Account.roles), selectinload(Account.groups)
        )
        RoleView.datamodel = PortalInterface(Role, selectinload(Role.permissions))
        GroupView.datamodel = PortalInterface(Group, selectinload(Group.users), selectinload(Group.roles))

    def auth_user_db(self, username: str | None, password: str | None) -> Account | None:
        """FAB's question at sign-in, page and API. RateLimited for whoever must wait, whatever the password.

        Commits, because failures are recorded too; and each step by itself, because many may be signing in at once:
        nobody waits for a count while somebody else's password is hashed or the log is written.
        """
        with self._line.place():
            return self._signed_in(username, password)

    def _signed_in(self, username: str | None, password: str | None) -> Account | None:
        attempt = directory.count_attempt(username or "")
        db.session.commit()
        if attempt.wait:
            refusal = directory.refusal(attempt)
            db.session.commit()
            if attempt.is_flood:
                self._line.pause()
            raise refusal
        account, opened = directory.authenticate(username or "", password or "") or (None, None)
        if opened:
            session["sid"] = g.sign_in_session = opened.id
            forget_viewer()
        db.session.commit()
        if opened:
            directory.forgive(attempt)
            db.session.commit()
        return account

    def load_user(self, pk: Any) -> SignedIn | None:
        """Who comes with a cookie, as long as its session has not ended."""
        return _remember(callers.by_session(int(pk), session.get("sid")))

    def load_user_jwt(self, _header: Any, data: dict[str, Any]) -> SignedIn | None:
        """Who comes with a token of a session, as long as that has not ended."""
        key, session_id = parse_key(data["sub"]), data.get("sid")
        if key is None or not isinstance(session_id, str):
            return None
        g.claims = data
        g.user = _remember(callers.by_session(key, session_id))
        return g.user

    def authenticate_request(self) -> None:
        """Who calls the API: by a personal token, else by a session's. FAB's `@protect` asks the same two questions."""
        secret = self.extract_api_key_from_request()
        if secret is not None:
            if self.validate_api_key(secret) is None:
                raise Unauthorized("This token is unknown, expired or revoked.")
        elif (claims := self._known_access()) is None:
            verify_jwt_in_request()
        elif self.load_user_jwt({}, claims) is None:
            raise Unauthorized("This sign-in has ended. Sign in again.")

    def _known_access(self) -> dict[str, Any] | None:
        """The claims of this request's access token, if its signature was checked before."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        claims = self.known_tokens.claims_of(token) if kind == "Bearer" else None
        return claims if claims and claims["type"] == "access" else None

    def refresh_tokens(self) -> tuple[str, str]:
        """An access and a refresh token for the refresh token of this request. Unauthorized if it is good no more.

        Commits before it refuses, because a token that was superseded has ended its session.
        """
        verify_jwt_in_request(refresh=True)
        claims = g.claims
        with transaction():
            current = directory.refresh_session(claims["sid"], claims["jti"], claims.get("parent"))
        if current is None:
            raise Unauthorized("This sign-in has ended. Sign in again.")
        identity, parent = claims["sub"], {"parent": current}
        return create_access_token(identity), create_refresh_token(identity, additional_claims=parent)

    def validate_api_key(self, secret: str) -> SignedIn | None:
        """Who comes with a personal token; its scopes hold for the rest of the request."""
        user = callers.by_token(secret)
        if user is None or user.token is None:
            return None
        if directory.note_use(user.token):
            db.session.commit()
        g.user, g.token_scopes = user, user.token.scopes
        return _remember(user)

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether the roles of whoever asks, and the scopes of their token, allow it."""
        viewer = current_viewer()
        return viewer is not None and self._allows(viewer, permission_name, view_name)

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """Those entries of the menu that whoever asks may open."""
        return {name for name in menu_names or [] if self.has_access("menu_access", name)}

    def within_scopes(self, noun: str | None) -> bool:
        """Whether the token of this request, if it is a personal one, is for such things."""
        scopes = g.get("token_scopes")
        return scopes is None or directory.allows(
            scopes, request.method, self.scope_resources.get(noun or "")
        )

    @cached_property
    def scope_resources(self) -> dict[str, str]:
        """Noun of a permission -> what scopes call it: its name in the generated API."""
        views = self.appbuilder.baseviews
        return {view.noun: view.resource_name for view in views if isinstance(view, PortalModelApi)}

    def create_jwt_manager(self, app: Any) -> Any:
        """Every token names its session; every refusal is a 401 in our shape."""
        manager = super().create_jwt_manager(app)
        decode = self.known_tokens.checking_once(manager._decode_jwt_from_config)  # noqa: SLF001
        manager._decode_jwt_from_config = decode  # noqa: SLF001
        manager.additional_claims_loader(lambda _identity: {"sid": _session_of_new_token()})
        for loader in (
            manager.unauthorized_loader,
            manager.invalid_token_loader,
            manager.expired_token_loader,
            manager.revoked_token_loader,
            manager.needs_fresh_token_loader,
            manager.user_lookup_error_loader,
        ):
            loader(lambda *_args: error_response(401))
        return manager

    def is_item_public(self, permission_name: str, view_name: str) -> bool:  # noqa: ARG002 - FAB's signature
        """Nothing is: what needs no sign-in says so by having no permission at all."""
        return False

    def _allows(self, viewer: Viewer, permission_name: str, view_name: str) -> bool:
        if not self.within_scopes(view_name):
            return False
        names = viewer.roles | {EMPLOYEE}
        if _fixed_roles_allow(names, permission_name, view_name):
            return True
        return (permission_name, view_name) in _added_permissions(viewer)

    def _has_view_access(self, _user: Any, permission_name: str, view_name: str) -> bool:
        return self.has_access(permission_name, view_name)

    def _get_user_permission_view_menus(
        self, _user: Any, permission_name: str, view_menus_name: list[str]
    ) -> set[str]:
        return {name for name in view_menus_name or [] if self.has_access(permission_name, name)}


@lru_cache(maxsize=8192)
def _fixed_roles_allow(names: frozenset[str], permission_name: str, view_name: str) -> bool:
    patterns = [pair for name in names for pair in current_app.config["FAB_ROLES"].get(name, [])]
    return any(
        re.match(view, view_name) and re.match(permission, permission_name) for view, permission in patterns
    )


def _added_permissions(viewer: Viewer) -> set[tuple[str, str]]:
    """What FAB's role page gives to the viewer's roles: one statement a request, and only where a role needs it."""
    if "added_permissions" not in g:
        query = (
            select(Permission.name, ViewMenu.name)
            .select_from(Role)
            .join(Role.permissions)
            .join(PermissionView.permission)
            .join(PermissionView.view_menu)
            .where(Role.name.in_(viewer.roles))
        )
        g.added_permissions = (
            {(row[0], row[1]) for row in db.session.execute(query)} if viewer.roles else set()
        )
    found: set[tuple[str, str]] = g.added_permissions
    return found


def _remember(user: SignedIn | None) -> SignedIn | None:
    """Row rules and the log ask for the viewer many times."""
    forget_viewer()
    if user is not None:
        g.viewer = user.viewer
    return user


def _session_of_new_token() -> str | None:
    return g.get("sign_in_session") or g.claims["sid"]


@viewer_loader
def viewer_of_request() -> Viewer | None:
    """Whoever signed in with a cookie or a token; asked again after `forget_viewer`, so that a change of roles holds."""
    user = g.get("user")
    if user is None or not user.is_authenticated:
        return None
    known: Viewer | None = g.get("viewer")
    if known is None:
        found = callers.by_account(user.id)
        known = found.viewer if found else None
    return known
