"""The page of what is coming for somebody, and the Admins' rules of reminders."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy.orm import joinedload
from wtforms import BooleanField, DateField, IntegerField, SelectField
from wtforms.validators import InputRequired, NumberRange, Optional

from app.foundation import clock
from app.foundation.errors import DomainError, Forbidden, InvalidInput
from app.foundation.forms import REQUIRED, LookupField, PortalForm, choices_of, line
from app.foundation.transactions import transaction
from app.foundation.viewer import Viewer, current_viewer
from app.foundation.views import PortalModelView, show_refusal
from app.inventory.models import Product
from app.reminders import coming, queries
from app.reminders import operations as reminders
from app.reminders.api import PRODUCT_REMINDER_VERBS, DaysInterface
from app.reminders.coming import Line
from app.reminders.models import LONGEST_ESCALATION, ProductReminders
from app.reminders.schemas import Doing
from app.reminders.thresholds import FURTHEST

DAYS_HINT = (
    "Numbers of days, up to ten, such as 60, 30, 14, 7, 1. Whoever was told hears again once it is overdue."
)


class AnswerForm(PortalForm):
    """What to do about a reminder."""

    reply = SelectField("Answer", choices=choices_of(Doing))
    until = DateField("Remind me on", validators=[Optional()])
    for_all = BooleanField("For everybody")


class RemindersView(BaseView):
    """What is coming for me: payments and tasks, the soonest first."""

    route_base = "/reminders"
    class_permission_name = "Reminder"
    method_permission_name = {"index": "read", "answer": "edit"}
    default_view = "index"

    @expose("/")
    @has_access
    def index(self) -> Any:
        """Mine, or for an Admin everybody's."""
        return self._page()

    @expose("/answer", methods=["POST"])
    @has_access
    def answer(self) -> Any:
        """Acknowledge, remind me later, or again."""
        form = AnswerForm()
        if form.validate():
            try:
                with transaction():
                    _answer(form)
            except InvalidInput as error:
                show_refusal(form, error)
            else:
                flash(_said(form), "success")
                return redirect(url_for("RemindersView.index", whose=_whose()))
        return self._page(form), 422

    def _page(self, form: AnswerForm | None = None) -> Any:
        viewer = _viewer()
        whose = _whose()
        if whose and not viewer.is_admin:
            raise Forbidden("Only Admins see what is coming for everybody.")
        lines = coming.lines_for(viewer, everybodys=bool(whose))
        return self.render_template(
            "reminders/index.html",
            title="Reminders",
            viewer=viewer,
            whose=whose,
            waiting=_in_groups([one for one in lines if not one.is_quiet]),
            quiet=[one for one in lines if one.is_quiet][: coming.MOST_LINES],
            hidden=max(0, len(lines) - coming.MOST_LINES),
            refused=_refusal(form),
            tomorrow=clock.today() + timedelta(days=1),
            next_week=clock.today() + timedelta(days=7),
        )


class RulesForm(PortalForm):
    """The company's rules."""

    days = line(
        "Days before a payment's day",
        most=100,
        hint="Before a card expires, a payment renews, or the last day to cancel it. The administrators of the product, "
        f"else of its service, and the Admins are told at 9:00. {DAYS_HINT}",
    )
    escalate_after = IntegerField(
        "Days until an overdue task is escalated",
        validators=[
            InputRequired(REQUIRED),
            NumberRange(1, LONGEST_ESCALATION, f"Enter 1 to {LONGEST_ESCALATION}."),
        ],
        description="To the administrators of its service; after as many days again, to the Admins. "
        "If whoever has the task is away or has left, it goes up on its first day overdue.",
    )
    access_days = IntegerField(
        "Days before access ends",
        validators=[InputRequired(REQUIRED), NumberRange(0, FURTHEST, f"Enter 0 to {FURTHEST}.")],
        description="How far ahead the administrators of its product are told. 0 for never.",
    )


class ReminderRulesView(BaseView):
    """Rules for the whole company."""

    route_base = "/reminder-rules"
    class_permission_name = "ReminderRules"
    method_permission_name = {"page": "read", "change": "edit"}
    default_view = "page"

    @expose("/")
    @has_access
    def page(self) -> Any:
        """The rules as they are."""
        rules = queries.rules()
        form = RulesForm(
            formdata=None,
            days=", ".join(map(str, rules.days)),
            escalate_after=rules.escalate_after,
            access_days=rules.access_days,
        )
        return self._page(form)

    @expose("/", methods=["POST"])
    @has_access
    def change(self) -> Any:
        """All of them, or none if one does not fit."""
        form = RulesForm()
        if form.validate():
            try:
                with transaction():
                    reminders.change_rules(**{name: form[name].data for name in RulesForm.declared()})
            except DomainError as error:
                show_refusal(form, error)
            else:
                flash("Saved. The next check goes by these rules.", "success")
                return redirect(url_for("ReminderRulesView.page"))
        return self._page(form), 422

    def _page(self, form: RulesForm) -> Any:
        return self.render_template("reminders/rules.html", title="Reminder rules", form=form)


class ProductRemindersForm(PortalForm):
    """Days of one product."""

    product_id = LookupField("Product", Product, required=True)
    days = line("Days before", most=100, hint=f"{DAYS_HINT} Left empty, only when it is overdue.")


class ProductRemindersEditForm(PortalForm):
    """The same; the product stays."""

    days = ProductRemindersForm.days


class ProductRemindersView(PortalModelView):
    """Products with days of their own."""

    datamodel = DaysInterface(ProductReminders, joinedload(ProductReminders.product))
    route_base, noun, verbs = "/product-reminders", "ProductReminders", PRODUCT_REMINDER_VERBS
    form, edit_form = ProductRemindersForm, ProductRemindersEditForm
    list_title, show_title = "Reminders of single products", "Reminders of a product"
    add_title, edit_title = "Add product", "Edit days"
    list_subtitle = "How many days ahead people are told, where that differs from the company's rule."
    empty_hint = "The company's rule holds for every product."
    list_columns = ["product", "days"]
    show_columns = ["product", "days"]
    label_columns = {"days": "Days before"}
    order_columns = ["id"]
    search_columns = ["product"]
    base_order = ("id", "asc")
    formatters_columns = {"days": lambda days: ", ".join(map(str, days)) or "Only when overdue"}
    deleted_message = "The company's rule holds again."

    def prefill_form(self, form: Any, pk: Any) -> None:
        """The days as people type them."""
        form.days.data = ", ".join(map(str, self._item(pk).days))


def _viewer() -> Viewer:
    viewer = current_viewer()
    if viewer is None:
        raise Forbidden("Sign in first.")
    return viewer


def _whose() -> str | None:
    """Everybody's or, without a word, mine."""
    whose = request.values.get("whose", "")
    if whose not in {"", "all"}:
        raise InvalidInput(whose="Choose all, or leave it out.")
    return whose or None


def _answer(form: AnswerForm) -> None:
    doing, until = Doing(form.reply.data), form.until.data
    if doing is Doing.SNOOZE and until is None:
        raise InvalidInput(until="Choose a day.")
    until = until if doing is Doing.SNOOZE else None
    key, names = request.form.get("task"), request.form.getlist("item")
    if key:
        task = reminders.task_to_answer(key)
        if doing is Doing.AGAIN:
            reminders.withdraw_task(task)
        else:
            reminders.answer_task(task, until=until)
    elif doing is Doing.AGAIN:
        reminders.withdraw_items(names, for_all=form.for_all.data)
    else:
        reminders.answer_items(names, until=until, for_all=form.for_all.data)


def _said(form: AnswerForm) -> str:
    if form.reply.data == Doing.ACKNOWLEDGE:
        return "Acknowledged. You hear of it again only if it becomes overdue."
    if form.reply.data == Doing.SNOOZE:
        return f"You are reminded again on {form.until.data:%-d %B %Y}."
    return "You are reminded again."


def _refusal(form: AnswerForm | None) -> str:
    if form is None:
        return ""
    messages = [message for messages in form.errors.values() for message in messages]
    return " ".join(map(str, dict.fromkeys(messages))) or "This can't be done."


def _in_groups(lines: list[Line]) -> dict[str, list[Line]]:
    """Overdue, within a week, later."""
    today = clock.today()
    groups: dict[str, list[Line]] = {"Overdue": [], "Within a week": [], "Later": []}
    for one in lines[: coming.MOST_LINES]:
        left = (one.day - today).days if one.day else FURTHEST
        groups["Overdue" if left < 0 else "Within a week" if left <= 7 else "Later"].append(one)
    return {name: some for name, some in groups.items() if some}
