"""The start page."""

from typing import Any

from flask import current_app, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.views import IndexView

from app.directory.access import is_administrator
from app.foundation import scheduling
from app.foundation.rendering import wants_json
from app.foundation.viewer import current_viewer
from app.notifications import planning
from app.notifications import queries as notices
from app.reports import queries


class HomeView(IndexView):
    """What waits for somebody, and how much there is of everything; a welcome in JSON for programs."""

    @expose("/")
    def index(self) -> Any:
        """People who are not signed in are sent to do so."""
        if wants_json():
            return {
                "message": f"Welcome to {current_app.config['APP_NAME']} API",
                "version": current_app.config["VERSION"],
                "docs_url": "/docs",
                "api_prefix": current_app.config["API_PREFIX"],
            }
        viewer = current_viewer()
        if viewer is None:
            return redirect(url_for("SignInView.login", next=request.args.get("next")))
        return self.render_template(
            "reports/home.html",
            title="Home",
            viewer=viewer,
            figures=queries.figures(viewer),
            tasks=queries.next_tasks(viewer),
            cases=queries.next_cases() if viewer.is_admin else [],
            is_administrator=is_administrator(viewer),
            troubles=scheduling.troubles() if viewer.is_admin else None,
            mail=notices.undelivered() if viewer.is_admin else None,
            mail_is_sent=planning.mail_is_sent(),
        )
