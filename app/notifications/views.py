"""The page behind the bell."""

from typing import Any

from flask import redirect, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.foundation.errors import NotFound
from app.foundation.references import find
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.notifications import operations as notifications
from app.notifications import queries
from app.notifications.models import Notification


class NoticeView(BaseView):
    """One's own notices, newest first."""

    route_base = "/notices"
    class_permission_name = "Notification"
    default_view = "list"

    @expose("/")
    @has_access
    @permission_name("read")
    def list(self) -> Any:
        """The latest hundred."""
        viewer = current_viewer()
        notices = queries.latest(viewer.id if viewer else None)
        return self.render_template("notifications/list.html", title="Notifications", notices=notices)

    @expose("/<pk>/open", methods=["POST"])
    @has_access
    @permission_name("read")
    def open(self, pk: str) -> Any:
        """Note that it was read and go to what it is about."""
        notice = find(Notification, pk)
        if notice is None:
            raise NotFound("There is no such notice.")
        with transaction():
            notifications.mark_read(notice)
        return redirect(notice.href or url_for("NoticeView.list"))

    @expose("/read", methods=["POST"])
    @has_access
    @permission_name("read")
    def read_all(self) -> Any:
        """Note that all were read."""
        viewer = current_viewer()
        with transaction():
            notifications.mark_all_read(viewer.id if viewer else None)
        return redirect(url_for("NoticeView.list"))
