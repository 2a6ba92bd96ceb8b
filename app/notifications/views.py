"""The page behind the bell."""

from typing import Any

from flask import redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.foundation.errors import NotFound
from app.foundation.references import find, parse_key
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.notifications import operations as notifications
from app.notifications import queries
from app.notifications.mailing import KIND_WORDS
from app.notifications.models import Kind, Notification
from app.notifications.preference_forms import KIND_ICONS

PAGE = 50


class NoticeView(BaseView):
    """One's own notices, newest first."""

    route_base = "/notices"
    class_permission_name = "Notification"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("read")
    def list(self) -> Any:
        """A page of them, of all or of the unread."""
        viewer = current_viewer()
        person_id = viewer.id if viewer else None
        kind = request.args.get("kind", "")
        found = queries.notices_of(
            person_id,
            unread=request.args.get("show") == "unread",
            kind=kind if kind in set(Kind) else "",
            before_id=parse_key(request.args.get("before")),
            size=PAGE + 1,
        )
        return self.render_template(
            "notifications/list.html",
            title="Notifications",
            notices=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            kind_words=KIND_WORDS,
            kind_icons=KIND_ICONS,
        )

    @expose("/<pk>/open", methods=["POST"])
    @has_access
    @permission_name("read")
    def open(self, pk: str) -> Any:
        """Note that it was read and go to what it is about."""
        notice = _own(pk)
        with transaction():
            notifications.mark_read(notice)
        return redirect(notice.href or url_for("NoticeView.list"))

    @expose("/<pk>/read", methods=["POST"])
    @has_access
    @permission_name("read")
    def mark(self, pk: str) -> Any:
        """Note that it was read, or with `unread` that it was not, and stay."""
        notice = _own(pk)
        with transaction():
            if request.form.get("unread"):
                notifications.mark_unread(notice)
            else:
                notifications.mark_read(notice)
        kept = {name: value for name, value in request.args.items() if name in {"show", "kind", "before"}}
        return redirect(url_for("NoticeView.list", **kept))  # type: ignore[arg-type]

    @expose("/read", methods=["POST"])
    @has_access
    @permission_name("read")
    def read_all(self) -> Any:
        """Note that all were read."""
        viewer = current_viewer()
        with transaction():
            notifications.mark_all_read(viewer.id if viewer else None)
        return redirect(url_for("NoticeView.list"))


def _own(pk: str) -> Notification:
    notice = find(Notification, pk)
    if notice is None:
        raise NotFound("There is no such notice.")
    return notice
