"""The schedule's pages, and what an Admin does about dead letters."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.foundation import clock, scheduling
from app.foundation.errors import Conflict, NotFound
from app.foundation.outbox import OutboxMessage
from app.foundation.references import find, parse_key
from app.foundation.scheduling import JobState
from app.foundation.transactions import transaction
from app.foundation.views import PortalView

PAGE = 50


def took(duration: timedelta | None) -> str:
    """How long something took, as people say it."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 0.05 else "less than 0.1 s"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


class ScheduleView(PortalView):
    """For Admins: what runs by itself, when, how it went, and taking it in hand."""

    route_base = "/schedule"
    noun = "Schedule"
    base_permissions = ["can_read", "can_edit"]
    default_view = "index"

    @expose("/")
    @has_access
    @permission_name("read")
    def index(self) -> Any:
        """Every job of the schedule."""
        jobs = scheduling.statuses()
        return self._page(
            "operating/schedule.html",
            title="Schedule",
            jobs=jobs,
            late=[one for one in jobs if one.state is JobState.LATE],
            troubles=scheduling.troubles(),
        )

    @expose("/<pk>")
    @has_access
    @permission_name("read")
    def job(self, pk: str) -> Any:
        """One job and its runs, newest first; `?failed=1` shows those that failed."""
        status, failed = scheduling.status_of(pk), request.args.get("failed") == "1"
        before = parse_key(request.args.get("before"))
        found = scheduling.runs_of(pk, failed=failed, before_id=before, size=PAGE + 1)
        return self._page(
            "operating/schedule_job.html",
            title=status.periodic.name,
            status=status,
            runs=found[:PAGE],
            failed=failed,
            older=found[PAGE - 1].id if len(found) > PAGE else None,
        )

    @expose("/<pk>/run", methods=["POST"])
    @has_access
    @permission_name("edit")
    def run(self, pk: str) -> Any:
        """Ask for a run now."""
        return self._do(pk, scheduling.run_now, "It runs as soon as a worker is free.")

    @expose("/<pk>/pause", methods=["POST"])
    @has_access
    @permission_name("edit")
    def pause(self, pk: str) -> Any:
        """No more runs until somebody resumes it."""
        return self._do(pk, scheduling.pause, "Paused: it does not run by itself until you resume it.")

    @expose("/<pk>/resume", methods=["POST"])
    @has_access
    @permission_name("edit")
    def resume(self, pk: str) -> Any:
        """Go on."""
        return self._do(pk, scheduling.resume, "Resumed. What it missed is caught up once, within a minute.")

    def _do(self, pk: str, verb: Callable[[str], None], done: str) -> Any:
        """Do it, and go back to the page that the button stood on."""
        name = scheduling.status_of(pk).periodic.name
        try:
            with transaction():
                verb(pk)
        except Conflict as error:
            flash(error.message, "danger")
        else:
            flash(f"“{name}”: {done}", "success")
        back = url_for(".job", pk=pk) if request.form.get("from") == "job" else url_for(".index")
        return redirect(back)

    def _page(self, template: str, **shown: Any) -> Any:
        return self.render_template(template, took=took, zone=clock.zone().key, now=clock.now(), **shown)


class DeadLetterView(PortalView):
    """For Admins: give up on giving up."""

    route_base = "/dead-letters"
    noun = "DeadLetter"
    base_permissions = ["can_edit"]

    @expose("/<pk>/retry", methods=["POST"])
    @has_access
    @permission_name("edit")
    def retry(self, pk: str) -> Any:
        """Try one again."""
        message = find(OutboxMessage, pk)
        if message is None:
            raise NotFound("There is no such work, or you may not see it.")
        return self._do(lambda: scheduling.try_again(message), "It is tried again within seconds.")

    @expose("/retry", methods=["POST"])
    @has_access
    @permission_name("edit")
    def retry_all(self) -> Any:
        """Try all of them again."""
        return self._do(scheduling.try_all_again, "All of them are tried again within seconds.")

    def _do(self, verb: Callable[[], object], done: str) -> Any:
        try:
            with transaction():
                verb()
        except Conflict as error:
            flash(error.message, "danger")
        else:
            flash(done, "success")
        return redirect(url_for("OutboxView.list"))
