"""FAB's own pages for accounts, roles and permissions, behind our rules; and the sign-in itself."""

import inspect
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import flash, g, redirect, request, session, url_for
from flask_appbuilder import expose
from flask_appbuilder.baseviews import BaseFormView
from flask_appbuilder.security import views as fab
from flask_appbuilder.security.api import SecurityApi as FabSecurityApi
from flask_appbuilder.security.forms import LoginForm_db
from flask_appbuilder.utils.base import get_safe_redirect
from flask_login import login_user, logout_user

from app.audit import recorder
from app.directory import operations as directory
from app.directory.models import Account
from app.foundation.api import PortalApi, rendered
from app.foundation.database import db
from app.foundation.errors import DomainError, Forbidden, InvalidInput, NotFound, RateLimited, Unreadable
from app.foundation.references import find
from app.foundation.schemas import UNFIT, body_of_request
from app.foundation.transactions import transaction
from app.foundation.viewer import forget_viewer
from app.foundation.views import KeptForms, show_refusal

WRONG = "Incorrect email or password"


def path_of(url: str) -> str:
    """The path and query of an address, so that no answer leads to another host, whatever the Host header says."""
    parts = urlsplit(url)
    return urlunsplit(("", "", "/" + parts.path.lstrip("/\\"), parts.query, ""))


class SignInView(fab.AuthDBView):
    """Signing in and out. Signing out is a POST: a link on another site must not do it."""

    @expose("/login/", methods=["GET", "POST"])
    def login(self) -> Any:
        """A wrong password leaves the e-mail in its field."""
        target = path_of(get_safe_redirect(request.args.get("next") or url_for("HomeView.index")))
        if g.user is not None and g.user.is_authenticated:
            return redirect(target)
        form, headers = LoginForm_db(), {}
        status = 401 if request.method == "POST" else 200
        if form.validate_on_submit():
            try:
                account = self.appbuilder.sm.auth_user_db(form.username.data, form.password.data)
            except RateLimited as refusal:
                account, status = None, refusal.status
                headers["Retry-After"] = str(refusal.retry_after)
                flash(refusal.message, "warning")
            if account:
                login_user(account, remember=False)
                return redirect(target)
            if status == 401:
                flash(WRONG, "warning")
        page = self.render_template(self.login_template, title="Sign in", form=form)
        return page, status, headers

    @expose("/logout/", methods=["POST"])
    def logout(self) -> Any:
        """End the session, here and for whoever copied its cookie."""
        if session.get("sid"):
            with transaction():
                if g.user.is_authenticated:
                    recorder.record("auth.logout", target_type="account", target_id=str(g.user.id))
                directory.end_session(session["sid"])
        logout_user()
        session.clear()
        return redirect(url_for("SignInView.login"))


class SecurityApi(PortalApi, FabSecurityApi):
    """FAB's token endpoints, with our words."""

    resource_name = "security"

    @expose("/login", methods=["POST"])
    @rendered
    def login(self) -> Any:
        """FAB's, which breaks on halves of UTF-16 pairs and without a provider.

        Without its `@safe`, which makes a 500 of every refusal.
        """
        sent = body_of_request()
        if isinstance(sent, dict) and "provider" not in sent:
            raise InvalidInput(provider="Send db.")
        if isinstance(sent, dict) and any(
            UNFIT.search(text) for text in sent.values() if isinstance(text, str)
        ):
            raise Unreadable("Remove the control characters.")
        return inspect.unwrap(FabSecurityApi.login)(self)

    @expose("/refresh", methods=["POST"])
    @rendered
    def refresh(self) -> Any:
        """As the published API does it."""
        access, refresh = self.appbuilder.sm.refresh_tokens()
        return self.response(200, access_token=access, refresh_token=refresh)


class GuardedView(KeptForms):
    """FAB's page fills the row itself; then our rules look at what came out, in the same transaction."""

    exclude_route_methods = {"download"}

    @expose("/action/<string:name>/<pk>", methods=["GET", "POST"])
    def action(self, name: str, pk: Any) -> Any:
        """FAB's button on a row."""
        return self._refusal(name) or super().action(name, self._item(pk).id)

    @expose("/action_post", methods=["POST"])
    def action_post(self) -> Any:
        """FAB's button on the rows of a list that are ticked."""
        return self._refusal(request.form.get("action", "")) or super().action_post()

    def _refusal(self, name: str) -> Any:
        """FAB answers an unknown action with a 500, and a denied one with a redirect to nowhere."""
        if not g.user.is_authenticated:
            return redirect(url_for("SignInView.login", next=request.full_path))
        if name not in self.actions:
            raise NotFound("There is no such action.")
        permission = self.get_action_permission_name(name)
        if not self.appbuilder.sm.has_access(permission, self.class_permission_name):
            raise Forbidden("You may not do this.")
        return None

    def write(self, form: Any, item: Any | None) -> None:
        """As FAB does, then the check."""
        row = item or self.datamodel.obj()
        form.populate_obj(row)
        (self.pre_update if item else self.pre_add)(row)
        db.session.add(row)
        self.check(row)

    def erase(self, item: Any) -> None:
        """The last Admin's account and the Admin role stay."""
        db.session.delete(item)
        directory.check_an_admin_remains()

    def check(self, _row: Any) -> None:
        """However roles, groups and accounts are changed, somebody can still sign in as Admin."""
        directory.check_an_admin_remains()
        forget_viewer()


class AccountView(GuardedView, fab.UserDBModelView):
    """Sign-in accounts. One that is made here gets its entry in the directory."""

    base_order = ("username", "asc")
    list_title = "Sign-in accounts"
    add_title = "Add account"
    edit_title = "Edit account"
    show_title = "Account"
    list_columns = ["username", "first_name", "last_name", "active", "roles", "last_login"]
    search_columns = ["first_name", "last_name", "username", "email", "active", "roles"]
    # Name and e-mail follow the directory; see `keep_in_step`.
    edit_columns = ["active", "roles", "groups"]
    # Somebody with no role has their inbox and their own access; FAB would demand a role or a group.
    validators_columns: dict[str, list[Any]] = {}
    exclude_route_methods = {"download", "userinfo"}
    userinfoedit = None

    def check(self, row: Account) -> None:
        """A closed account has no sessions left."""
        directory.link_account(row)
        if not row.active:
            directory.end_sessions(row)
        super().check(row)


class UserInfoView(fab.UserInfoEditView):
    """Closed: names live in the directory, and HR or an Admin changes them there."""

    include_route_methods: set[str] = set()


class RoleView(GuardedView, fab.RoleModelView):
    """Roles, and what FAB's permissions add to the fixed ones."""

    base_order = ("name", "asc")
    search_columns = ["name"]
    list_title = "Roles"
    add_title = "Add role"
    edit_title = "Edit role"
    show_title = "Role"


class GroupView(GuardedView, fab.UserGroupModelView):
    """Groups of accounts that share roles."""

    base_order = ("name", "asc")
    search_columns = ["name", "label"]
    list_title = "Groups"
    add_title = "Add group"
    edit_title = "Edit group"
    show_title = "Group"


class PermissionsView(fab.PermissionModelView):
    """Names of permissions; made by the code, read here."""

    include_route_methods = {"list"}
    list_title = "Permissions"


class ViewMenusView(fab.ViewMenuModelView):
    """What permissions are about."""

    include_route_methods = {"list"}
    list_title = "Views and menus"


class RolePermissionsView(fab.PermissionViewModelView):
    """Permissions on views."""

    include_route_methods = {"list"}
    list_title = "Permissions on views and menus"


class NewPassword(BaseFormView):
    """FAB's password forms, with our rule and its message at the field."""

    def set_password(self, form: Any, account: Account | None) -> Any:
        """The page again if the rule says no, else on to the next."""
        if account is None:
            raise NotFound("There is no such account.")
        try:
            with transaction():
                directory.change_password(account, form.password.data)
        except DomainError as error:
            show_refusal(form, error)
            widgets = self._get_edit_widget(form=form)
            page = self.render_template(self.form_template, title=self.form_title, widgets=widgets)
            return page, error.status
        flash("The password is changed, and every session of the account has ended.", "success")
        return None


class ResetPasswordView(NewPassword, fab.ResetPasswordView):
    """An Admin sets somebody's password."""

    form_title = "Set a password"

    def form_post(self, form: Any) -> Any:
        """End the account's sessions with it."""
        return self.set_password(form, find(Account, request.args.get("pk")))


class ResetMyPasswordView(NewPassword, fab.ResetMyPasswordView):
    """Somebody sets their own password, and signs in again with it."""

    form_title = "Change password"

    def form_post(self, form: Any) -> Any:
        """Every session ends, this one too."""
        return self.set_password(form, find(Account, g.user.id)) or redirect(url_for("SignInView.login"))
