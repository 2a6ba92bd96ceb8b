"""The page of absences: one's own, those one stands in for, and for Admins everybody's."""

from typing import Any

from flask import flash, redirect, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy.orm import joinedload
from wtforms import BooleanField, DateField
from wtforms.validators import InputRequired

from app.directory.models import Person
from app.foundation import clock
from app.foundation.errors import NotFound
from app.foundation.fab import PortalInterface
from app.foundation.forms import REQUIRED, LookupField, PortalForm
from app.foundation.references import find
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.foundation.views import PortalModelView
from app.inbox import absence_operations as absences
from app.inbox.absence_api import ABSENCE_VERBS
from app.inbox.absence_models import Absence


class AbsenceForm(PortalForm):
    """When somebody is away, and who stands in."""

    person_id = LookupField("Who", Person, hint="You, if left empty.")
    starts_on = DateField("First day away", validators=[InputRequired(REQUIRED)], default=clock.today)
    ends_on = DateField("Last day away", validators=[InputRequired(REQUIRED)])
    substitute_id = LookupField(
        "Substitute",
        Person,
        hint="Gets new tasks and reminders of this time. If left empty, the administrators of each service do.",
    )
    moves_tasks = BooleanField("Move tasks that are open when it begins to the substitute", default=True)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Only Admins say it of somebody else; the operation holds that, the form asks nobody else."""
        super().__init__(*arguments, **options)
        viewer = current_viewer()
        if not (viewer and viewer.is_admin):
            del self.person_id


class AbsenceEditForm(PortalForm):
    """The same of one that is known; whose it is stays."""

    starts_on, ends_on = AbsenceForm.starts_on, AbsenceForm.ends_on
    substitute_id, moves_tasks = AbsenceForm.substitute_id, AbsenceForm.moves_tasks


class AbsenceView(PortalModelView):
    """Absences, the latest first."""

    datamodel = PortalInterface(Absence, joinedload(Absence.person), joinedload(Absence.substitute))
    route_base, noun, verbs = "/absences", "Absence", ABSENCE_VERBS
    form, edit_form = AbsenceForm, AbsenceEditForm
    list_title, show_title, add_title, edit_title = "Absences", "Absence", "Add absence", "Edit absence"
    show_template = "inbox/absence.html"
    list_subtitle = "While you are away, your substitute gets your new tasks and reminders."
    empty_hint = "Say when you are away and who stands in, and nothing waits for your return."
    list_columns = ["person", "starts_on", "ends_on", "substitute"]
    show_columns = ["person", "starts_on", "ends_on", "substitute", "moves_tasks", "moved_at", "created_at"]
    label_columns = {
        "person": "Who",
        "starts_on": "First day",
        "ends_on": "Last day",
        "moves_tasks": "Open tasks move",
        "moved_at": "Tasks moved",
    }
    order_columns = ["starts_on", "ends_on"]
    search_columns = ["starts_on", "ends_on"]
    base_order = ("starts_on", "desc")
    deleted_message = "The absence is over. What went to others stays with them."

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.method_permission_name |= {"take_over": "edit"}

    @expose("/<pk>/take-over", methods=["POST"])
    @has_access
    def take_over(self, pk: str) -> Any:
        """Move what is open to whoever stands in."""
        absence = find(Absence, pk)
        if absence is None:
            raise NotFound("There is no such absence, or you may not see it.")
        with transaction():
            moved = absences.take_over(absence)
        flash(f"{moved} {'task' if moved == 1 else 'tasks'} moved.", "success")
        return redirect(url_for("AbsenceView.list"))
