"""The pages of people and departments."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.forms import DynamicForm
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_login import login_user, logout_user
from sqlalchemy.orm import joinedload
from wtforms import BooleanField, DateField, PasswordField
from wtforms.validators import EqualTo, InputRequired, Optional

from app.directory import operations as directory
from app.directory.api import DEPARTMENT_VERBS, PERSON_VERBS
from app.directory.models import Department, Person
from app.foundation.errors import DomainError
from app.foundation.fab import PortalInterface
from app.foundation.forms import LookupField, PortalForm, line, paragraph
from app.foundation.transactions import transaction
from app.foundation.views import PortalModelView, show_refusal


class DepartmentForm(PortalForm):
    """A department."""

    name = line("Name", required=True)
    description = paragraph("Description")


class DepartmentView(PortalModelView):
    """Departments."""

    datamodel = PortalInterface(Department)
    route_base, noun, verbs, form = "/departments", "Department", DEPARTMENT_VERBS, DepartmentForm
    list_title, add_title, edit_title, show_title = (
        "Departments",
        "Add department",
        "Edit department",
        "Department",
    )
    list_subtitle = "The parts of the company that HR names and access templates are made for."
    list_columns = order_columns = ["name", "description"]
    show_columns = ["name", "description", "created_at", "updated_at"]
    search_columns = ["name", "description"]
    base_order = ("name", "asc")


class PersonForm(PortalForm):
    """A new person."""

    name = line("Name", required=True)
    email = line("E-mail", required=True, most=320)
    department_id = LookupField("Department", Department)
    position = line("Position", hint="As HR writes it: access templates compare it, in any case.")
    external_id = line("External id", hint="The person's number in the HR system.")
    starts_on = DateField("First day", validators=[Optional()])


class EditPersonForm(PersonForm):
    """A known person."""

    last_day = DateField(
        "Last day", validators=[Optional()], description="On this day their sign-in is closed."
    )
    active = BooleanField(
        "Works here", description="Taking this away signs them out and keeps their history."
    )


class PersonView(PortalModelView):
    """People. The page of one person is the lifecycle's, which knows their cases."""

    datamodel = PortalInterface(Person, joinedload(Person.department), joinedload(Person.account))
    route_base, noun, verbs, form, edit_form = "/people", "Person", PERSON_VERBS, PersonForm, EditPersonForm
    list_title, add_title, edit_title, show_title = "People", "Add person", "Edit person", "Person"
    list_subtitle = "Everybody the company knows, whether or not they can sign in."
    list_columns = ["name", "email", "department_name", "position", "active", "can_sign_in"]
    label_columns = {"department_name": "Department", "can_sign_in": "Can sign in", "email": "E-mail"}
    order_columns = ["name", "email", "position", "active"]
    show_columns = ["name", "email"]
    search_columns = ["name", "email", "department", "position", "active", "external_id", "last_day"]
    base_order = ("name", "asc")

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    @permission_name("show")
    def show(self, pk: Any) -> Any:
        """One address for a person everywhere."""
        return redirect(url_for("PersonPageView.person", pk=self._item(pk).id))

    def post_edit_redirect(self) -> Any:
        """Back to the person."""
        return redirect(url_for("PersonPageView.person", **(request.view_args or {})))


DepartmentView.related_views = [PersonView]


class NewPasswordForm(DynamicForm):
    """A password, twice."""

    password = PasswordField(
        "Password",
        validators=[InputRequired("Choose a password.")],
        description="At least 12 characters; a few unrelated words do well.",
    )
    again = PasswordField("The same again", validators=[EqualTo("password", "The two are not the same.")])


class InvitationView(BaseView):
    """What an invitation link opens: choose a password, once. Public, because the link is the proof."""

    route_base = "/invitation"

    @expose("/<token>", methods=["GET", "POST"])
    def accept(self, token: str) -> Any:
        """A used, old or made up link is a 404 that says whom to ask."""
        account = directory.invited_account(token)
        form = NewPasswordForm()
        if form.validate_on_submit():
            try:
                with transaction():
                    directory.accept_invitation(token, form.password.data or "")
            except DomainError as error:
                show_refusal(form, error)
            else:
                logout_user()
                login_user(self.appbuilder.sm.auth_user_db(account.email, form.password.data), remember=False)
                flash("Welcome. Your password is set.", "success")
                return redirect(url_for("HomeView.index"))
        status = 422 if request.method == "POST" else 200
        return self.render_template(
            "directory/invitation.html", title="Welcome", form=form, account=account
        ), status
