"""The pages of templates, cases and announcements; and the page of one person, which knows their cases."""

from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload
from wtforms import BooleanField, SelectChoice, SelectField, SelectMultipleField

from app.directory import operations as directory
from app.directory.api import PERSON_VERBS
from app.directory.models import Department, Person, Role
from app.foundation.database import db
from app.foundation.errors import DomainError, NotFound
from app.foundation.fab import PortalInterface
from app.foundation.forms import LookupField, PortalForm, choices_of, line
from app.foundation.references import find
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.foundation.views import PortalModelView, show_refusal
from app.inventory import operations as inventory
from app.inventory.models import AccessLevel, Product, Service
from app.lifecycle import queries
from app.lifecycle.api import TEMPLATE_VERBS
from app.lifecycle.models import AccessTemplate, HrEvent, LifecycleCase


class TemplateForm(PortalForm):
    """An access template."""

    name = line("Name", required=True)
    department_id = LookupField("Department", Department, hint="Everybody's, if left empty.")
    position = line("Position", hint="As HR writes it, in any case. Every position, if left empty.")
    product_ids = LookupField("Products", Product, multiple=True, required=True)
    level = SelectField(
        "Level",
        choices=choices_of(AccessLevel),
        default=AccessLevel.MEMBER.value,
    )
    active = BooleanField("In use", default=True)


class TemplateView(PortalModelView):
    """Access templates."""

    datamodel = PortalInterface(
        AccessTemplate, joinedload(AccessTemplate.department), selectinload(AccessTemplate.products)
    )
    route_base, noun, verbs, form = "/templates", "AccessTemplate", TEMPLATE_VERBS, TemplateForm
    list_title, add_title, edit_title, show_title = (
        "Access templates",
        "Add template",
        "Edit template",
        "Access template",
    )
    list_subtitle = "Which products a joiner needs, by department and position."
    empty_hint = "Without templates, every joiner becomes one task: decide what access they need."
    list_columns = ["name", "department", "position", "products", "level", "active"]
    label_columns = {"active": "In use"}
    order_columns = ["name", "position", "level", "active"]
    show_columns = [
        "name",
        "department",
        "position",
        "products",
        "level",
        "active",
        "created_at",
        "updated_at",
    ]
    search_columns = ["name", "department", "position", "level", "active"]
    base_order = ("name", "asc")

    def prefill_form(self, form: Any, pk: Any) -> None:
        """The products that the template asks for so far."""
        form.product_ids.process_data([product.id for product in self._item(pk).products])


class CaseView(PortalModelView):
    """Cases."""

    datamodel = PortalInterface(
        LifecycleCase, joinedload(LifecycleCase.person), selectinload(LifecycleCase.tasks)
    )
    route_base, noun = "/cases", "LifecycleCase"
    list_title, show_title = "Cases", "Case"
    list_subtitle = "Joiners and leavers, open until their last task is done."
    empty_hint = "A case opens when HR announces a joiner or a leaver."
    list_columns = ["person", "kind", "state", "effective_on", "opened_at", "closed_at"]
    label_columns = {"effective_on": "On"}
    order_columns = ["kind", "effective_on", "opened_at", "closed_at"]
    show_columns = ["person", "kind", "state", "effective_on", "opened_at", "closed_at", "tasks"]
    search_columns = ["kind", "effective_on", "opened_at", "closed_at"]
    base_order = ("id", "desc")
    show_template = "lifecycle/case.html"

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    @permission_name("show")
    def show(self, pk: Any) -> Any:
        """The case with its tasks."""
        case = self._item(pk)
        return self.render_template(self.show_template, title=str(case), case=case)


class HrEventView(PortalModelView):
    """What HR said, as it came."""

    datamodel = PortalInterface(HrEvent, joinedload(HrEvent.person), joinedload(HrEvent.case))
    route_base, noun = "/hr-events", "HrEvent"
    list_title, show_title = "HR announcements", "HR announcement"
    list_subtitle = "Every announcement that was accepted, and the case it led to."
    empty_hint = "Point HR's system at /api/webhooks/hr/onboarding and /api/webhooks/hr/offboarding."
    list_columns = ["person", "kind", "state", "source", "received_at"]
    order_columns = ["kind", "source", "received_at"]
    show_columns = [
        "person",
        "kind",
        "case",
        "state",
        "source",
        "delivery_id",
        "payload",
        "received_at",
        "planned_at",
        "settled_at",
        "request_id",
    ]
    search_columns = ["kind", "source", "delivery_id", "received_at"]
    base_order = ("id", "desc")


class AccessForm(PortalForm):
    """Somebody's roles and what they administer, in one form."""

    roles = SelectMultipleField("Roles")
    service_ids = LookupField("Services they administer", Service, multiple=True)
    product_ids = LookupField("Products they administer", Product, multiple=True)


class PersonPageView(BaseView):
    """One person: account, roles, what they administer, what they use, their cases."""

    route_base = "/people"
    class_permission_name = "Person"
    base_permissions = PERSON_VERBS.permissions()
    method_permission_name = {"person": "read", "change_access": "edit", "invite": "edit"}

    @expose("/<pk>")
    @has_access
    def person(self, pk: str) -> Any:
        """For administrators; an Admin may change access here."""
        return self._page(_find(pk))

    @expose("/<pk>/access", methods=["POST"])
    @has_access
    def change_access(self, pk: str) -> Any:
        """Roles and assignments, all or nothing."""
        person, form = _find(pk), _access_form(request.form)
        if form.validate():
            try:
                with transaction():
                    inventory.change_access(
                        person,
                        roles=form.roles.data or [],
                        service_ids=form.service_ids.data,
                        product_ids=form.product_ids.data,
                    )
            except DomainError as error:
                show_refusal(form, error)
            else:
                flash("Saved.", "success")
                return redirect(url_for("PersonPageView.person", pk=pk))
        return self._page(_find(pk), form), 422

    @expose("/<pk>/invite", methods=["POST"])
    @has_access
    def invite(self, pk: str) -> Any:
        """A link to set a password with, shown to the Admin, who passes it on while no mail goes out."""
        person = _find(pk)
        with transaction():
            token = directory.invite(person)
        link = current_app.config["PUBLIC_URL"] + url_for("InvitationView.accept", token=token)
        return self._page(_find(pk), invitation=link)

    def _page(self, person: Person, form: Any = None, invitation: str | None = None) -> Any:
        viewer = current_viewer()
        may_change = bool(viewer and viewer.is_admin)
        is_me = viewer is not None and viewer.id == person.id
        story = queries.own_story(person) if is_me else queries.story_of(person)
        if may_change and form is None:
            form = _access_form(
                None,
                roles=[role.name for role in person.account.roles] if person.account else [],
                service_ids=[one.service_id for one in story.assignments if one.service_id],
                product_ids=[one.product_id for one in story.assignments if one.product_id],
            )
        return self.render_template(
            "lifecycle/person.html",
            title=person.name,
            person=person,
            form=form,
            may_change=may_change,
            invitation=invitation,
            **story._asdict(),
        )


class ProfileView(BaseView):
    """One's own page: what the company knows, what one administers and uses."""

    route_base = "/me"
    class_permission_name = "Profile"
    default_view = "me"

    @expose("/")
    @has_access
    @permission_name("read")
    def me(self) -> Any:
        """An account without an entry in the directory has none."""
        viewer = current_viewer()
        person = find(Person, viewer.id) if viewer else None
        if person is None:
            raise NotFound("Your account has no entry in the directory yet. Ask an Admin.")
        return self.render_template(
            "lifecycle/person.html",
            title="Profile",
            person=person,
            form=None,
            may_change=False,
            is_me=True,
            invitation=None,
            **queries.own_story(person)._asdict(),
        )


def _find(pk: str) -> Person:
    person = find(Person, pk)
    if person is None:
        raise NotFound("There is no such person, or you may not see them.")
    return person


def _access_form(formdata: Any, **values: Any) -> AccessForm:
    form = AccessForm(formdata=formdata, **values)
    names = db.session.scalars(select(Role.name).where(Role.name != "Public").order_by(Role.name))
    form.roles.choices = [SelectChoice(name) for name in names]
    return form
