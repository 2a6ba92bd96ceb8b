"""The page of one's own API tokens, under one's own page."""

from datetime import timedelta
from typing import Any

from flask import flash, g, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy import select
from wtforms import DateField, SelectChoice, SelectMultipleField
from wtforms.validators import InputRequired

from app.directory import operations as directory
from app.directory.token_models import ApiToken
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import DomainError, NotFound
from app.foundation.forms import REQUIRED, PortalForm, line
from app.foundation.references import find
from app.foundation.transactions import transaction
from app.foundation.views import show_refusal

FIRST_LIFE = timedelta(days=90)


class ApiTokenForm(PortalForm):
    """A new token."""

    name = line("Name", required=True, most=100, hint="What it is for, such as “Nightly import”.")
    scopes = SelectMultipleField("What it may do", validators=[InputRequired("Choose at least one scope.")])
    expires_on = DateField(
        "Good through", validators=[InputRequired(REQUIRED)], description="At most a year from now."
    )


class ApiTokenView(BaseView):
    """One's own tokens: which there are, when they were last used, a new one, the end of one."""

    route_base = "/me/tokens"
    class_permission_name = "ApiToken"
    base_permissions = ["can_read", "can_add", "can_delete"]
    method_permission_name = {"tokens": "read", "create": "add", "revoke": "delete"}
    default_view = "tokens"

    @expose("/")
    @has_access
    def tokens(self) -> Any:
        """The list, and the form under it."""
        form = self._form(None, scopes=["read"], expires_on=clock.today() + FIRST_LIFE)
        return self._page(form)

    @expose("/", methods=["POST"])
    @has_access
    def create(self) -> Any:
        """The secret is on the page that answers, and on no other."""
        form = self._form(request.form)
        if form.validate():
            try:
                with transaction():
                    token, secret = directory.create_token(
                        g.user.id,
                        name=form.name.data or "",
                        scopes=form.scopes.data or [],
                        expires_on=form.expires_on.data,
                        resources=set(self._resources()),
                    )
            except DomainError as error:
                show_refusal(form, error)
            else:
                fresh = self._form(None, scopes=["read"], expires_on=clock.today() + FIRST_LIFE)
                return self._page(fresh, made=token, secret=secret)
        return self._page(form), 422

    @expose("/<pk>/revoke", methods=["POST"])
    @has_access
    def revoke(self, pk: str) -> Any:
        """At once."""
        token = find(ApiToken, pk)
        if token is None:
            raise NotFound("There is no such token, or it is not yours.")
        with transaction():
            directory.revoke_token(token)
        flash(f"{token.name} is revoked.", "success")
        return redirect(url_for("ApiTokenView.tokens"))

    def _resources(self) -> list[str]:
        return sorted(self.appbuilder.sm.scope_resources.values())

    def _form(self, formdata: Any, **values: Any) -> ApiTokenForm:
        form = ApiTokenForm(formdata=formdata, **values)
        scopes = [
            "read",
            "write",
            *(f"{one}:{verb}" for one in self._resources() for verb in ("read", "write")),
        ]
        form.scopes.choices = [SelectChoice(scope) for scope in scopes]
        return form

    def _page(self, form: ApiTokenForm, **more: Any) -> Any:
        own = select(ApiToken).where(ApiToken.account_id == g.user.id).order_by(ApiToken.id.desc())
        tokens = list(db.session.scalars(own))
        return self.render_template(
            "directory/tokens.html", title="API tokens", form=form, tokens=tokens, **more
        )
