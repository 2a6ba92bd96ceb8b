"""The page that reads the log."""

from typing import Any

from flask import request
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from wtforms import DateField, Form, StringField, ValidationError
from wtforms.validators import Length, Optional

from app.audit import checking, queries
from app.audit.models import AuditEntry
from app.foundation.errors import NotFound
from app.foundation.forms import no_control_characters, tidy
from app.foundation.references import find, parse_key

PAGE = 50


def _line(label: str) -> StringField:
    return StringField(label, [Optional(), Length(max=200), no_control_characters], filters=[tidy])


class LogFilterForm(Form):
    """The filters; a GET form, so that a view of the log has an address."""

    action = _line("Action")
    actor = _line("Who")
    target = _line("About")
    target_type = _line("Kind of thing")
    target_id = _line("Id")
    request_id = _line("Request id")
    first_day = DateField("From", validators=[Optional()])
    last_day = DateField("To", validators=[Optional()])

    def validate_last_day(self, field: Any) -> None:
        """The last day is not before the first."""
        if self.first_day.data and field.data and field.data < self.first_day.data:
            raise ValidationError("This is before the first day.")


class AuditLogView(BaseView):
    """The log, newest first, for Admins."""

    route_base = "/audit"
    class_permission_name = "AuditEntry"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("read")
    def list(self) -> Any:
        """A page of entries; a filter that makes no sense shows none and says why."""
        form = LogFilterForm(request.args)
        found: list[AuditEntry] = []
        if form.validate():
            found = queries.entries(
                queries.LogFilter(**form.data), before_id=parse_key(request.args.get("before")), size=PAGE + 1
            )
        return self.render_template(
            "audit/list.html",
            title="Audit log",
            form=form,
            entries=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            check=checking.last_check(),
        )

    @expose("/<pk>")
    @has_access
    @permission_name("read")
    def show(self, pk: str) -> Any:
        """One entry, with what changed."""
        entry = find(AuditEntry, pk)
        if entry is None:
            raise NotFound("There is no such entry.")
        return self.render_template("audit/show.html", title=entry.action, entry=entry)
