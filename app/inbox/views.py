"""The inbox: a list and the task beside it. Every step works as a plain form; the page's script only saves the reload."""

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from wtforms import Form, SelectChoice, SelectField, StringField
from wtforms.validators import Length, Optional

from app.directory.models import Person
from app.foundation.database import db
from app.foundation.errors import DomainError, InvalidInput, NotFound
from app.foundation.forms import LookupField, PortalForm, choices_of, no_control_characters, paragraph, tidy
from app.foundation.references import parse_key
from app.foundation.transactions import transaction
from app.foundation.viewer import Viewer, current_viewer
from app.foundation.views import show_refusal
from app.inbox import operations as inbox
from app.inbox import queries
from app.inbox.access import may_change
from app.inbox.models import TaskStatus, TaskType, WorkflowTask

PAGE = 25
STATUSES = choices_of(TaskStatus)


class TaskFilterForm(Form):
    """What the list shows."""

    scope = SelectField("Whose", choices=choices_of(queries.Scope), default="mine")
    type = SelectField("Kind", choices=[SelectChoice("", "Every kind"), *choices_of(TaskType)], default="")
    status = SelectField(
        "Status",
        choices=[SelectChoice("open", "Open"), SelectChoice("", "Any status"), *STATUSES],
        default="open",
    )
    person = StringField("Person", [Optional(), Length(max=200), no_control_characters], filters=[tidy])


class TaskWorkForm(PortalForm):
    """A status, a comment, or both."""

    status = SelectField("Status", choices=STATUSES, validators=[Optional()], validate_choice=False)
    comment = paragraph("Comment", most=5_000)


class ReassignForm(PortalForm):
    """Somebody else to do it."""

    assignee_id = LookupField("Give to", Person, required=True)


class InboxView(BaseView):
    """Mine, my team's, all; a task opens beside the list."""

    route_base = "/inbox"
    class_permission_name = "Task"
    method_permission_name = {"index": "read", "task": "read", "work": "edit", "reassign": "edit"}
    default_view = "index"

    @expose("/")
    @has_access
    def index(self) -> Any:
        """The list alone."""
        return self._page(None)

    @expose("/<pk>")
    @has_access
    def task(self, pk: str) -> Any:
        """The list with one task open; `?part=task` answers with the task alone."""
        return self._page(self._find(pk))

    @expose("/<pk>/work", methods=["POST"])
    @has_access
    def work(self, pk: str) -> Any:
        """Set a status, add a comment; what a rule says against it stands in the form."""
        task, form = self._find(pk), TaskWorkForm()
        return self._do(
            task, form, lambda: inbox.work_on(task, status=form.status.data, comment=form.comment.data)
        )

    @expose("/<pk>/reassign", methods=["POST"])
    @has_access
    def reassign(self, pk: str) -> Any:
        """Give the task to somebody else."""
        task, form = self._find(pk), ReassignForm()
        return self._do(task, form, lambda: inbox.reassign(task, form.assignee_id.data))

    def _do(self, task: WorkflowTask, form: Any, verb: Any) -> Any:
        key = task.id
        if form.validate():
            try:
                with transaction():
                    verb()
            except DomainError as error:
                show_refusal(form, error)
            else:
                if not _asks_for_part():
                    flash("Saved.", "success")
                    return redirect(url_for("InboxView.task", pk=key, **_kept_filters()))
                return self._page(self._find_or_none(key))
        db.session.rollback()
        page = self._page(self._find(key), form)
        return page if isinstance(page, Response) else (page, 422)

    def _find(self, pk: Any) -> WorkflowTask:
        task = self._find_or_none(pk)
        if task is None:
            raise NotFound("There is no such task, or you may not see it.")
        return task

    @staticmethod
    def _find_or_none(pk: Any) -> WorkflowTask | None:
        query = db.select(WorkflowTask).where(WorkflowTask.id == parse_key(pk))
        return db.session.scalar(queries.with_story(query))

    def _page(self, task: WorkflowTask | None, form: Any = None) -> Any:
        viewer = current_viewer()
        if viewer is None:
            raise InvalidInput("Sign in first.")
        filters = TaskFilterForm(request.args)
        if not filters.validate():
            raise InvalidInput(
                "There is no such filter.",
                **{
                    name: str(field.errors[0])
                    for name, field in ((f.short_name, f) for f in filters if f.errors)
                },
            )
        shown = {"viewer": viewer, "filters": filters, "kept": _kept_filters(), **_open_task(task, form)}
        if _asks_for_part():
            counts = queries.open_counts(viewer)
            return render_template("inbox/part.html", counts=counts, **shown)
        return self.render_template("inbox/index.html", title="Inbox", **shown, **_list_of(viewer, filters))


def _asks_for_part() -> bool:
    return request.args.get("part") == "task" or request.headers.get("X-Part") == "task"


def _kept_filters() -> dict[str, Any]:
    return {
        name: value
        for name, value in request.args.items()
        if name in {"scope", "type", "status", "person", "page"}
    }


def _list_of(viewer: Viewer, filters: TaskFilterForm) -> dict[str, Any]:
    page = min(parse_key(request.args.get("page", 1)) or 1, 100_000)
    query = queries.tasks_matching(
        queries.Scope(filters.scope.data),
        viewer,
        type_=filters.type.data,
        status=filters.status.data,
        person=filters.person.data,
    )
    tasks, total = queries.page_of(query, page, PAGE)
    return {
        "tasks": tasks,
        "total": total,
        "page": page,
        "pages": max(-(-total // PAGE), 1),
        "counts": queries.open_counts(viewer),
    }


def _open_task(task: WorkflowTask | None, form: Any) -> dict[str, Any]:
    if task is None:
        return {"task": None}
    work = form if isinstance(form, TaskWorkForm) else TaskWorkForm(formdata=None, status=task.status)
    reassign = (
        form if isinstance(form, ReassignForm) else ReassignForm(formdata=None, assignee_id=task.assignee_id)
    )
    return {
        "task": task,
        "work": work,
        "reassign": reassign,
        "may_change": may_change(task),
        "may_reassign": inbox.may_reassign(task),
    }
