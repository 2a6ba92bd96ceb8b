"""How the machinery itself is doing: pages and API of the outbox and of runs of periodic jobs, for Admins."""

from sqlalchemy import select

from app.foundation.api import PortalModelApi
from app.foundation.database import db
from app.foundation.fab import PortalInterface
from app.foundation.outbox import OutboxMessage, OutboxState
from app.foundation.schedule_views import took
from app.foundation.ticking import ScheduledRun
from app.foundation.views import PortalModelView

OUTBOX_COLUMNS = [
    "id",
    "job",
    "arguments",
    "queue",
    "state",
    "attempts",
    "begun",
    "due_at",
    "created_at",
    "finished_at",
    "last_error",
    "request_id",
]
RUN_COLUMNS = [
    "id",
    "name",
    "job",
    "slot",
    "state",
    "trigger",
    "asked_by",
    "attempts",
    "started_at",
    "finished_at",
    "result",
    "error",
]


class OutboxApi(PortalModelApi):
    """What is promised to be done."""

    datamodel = PortalInterface(OutboxMessage)
    resource_name, noun = "outbox", "Outbox"
    list_columns = OUTBOX_COLUMNS
    search_columns = [
        "id",
        "job",
        "queue",
        "state",
        "attempts",
        "begun",
        "due_at",
        "created_at",
        "finished_at",
    ]
    order_columns = ["id", "due_at", "created_at", "finished_at"]
    base_order = ("id", "desc")


class OutboxView(PortalModelView):
    """What is promised to be done."""

    datamodel = PortalInterface(OutboxMessage)
    route_base, noun = "/outbox", "Outbox"
    list_title, show_title = "Background work", "Background work"
    list_subtitle = "Every promise of work, and whether it was kept. A dead one failed ten times."
    list_template, show_template = "operating/outbox.html", "operating/outbox_show.html"
    list_columns = ["job", "state", "begun", "created_at", "finished_at"]
    label_columns = {"begun": "Attempts", "attempts": "Offered", "due_at": "Due", "last_error": "Error"}
    order_columns = ["state", "begun", "created_at", "finished_at"]
    show_columns = OUTBOX_COLUMNS
    search_columns = ["job", "state", "queue", "created_at"]
    base_order = ("id", "desc")
    MOST_DEAD = 50

    def dead_letters(self) -> list[OutboxMessage]:
        """What nobody does any more unless an Admin has it tried again, newest first."""
        dead = select(OutboxMessage).where(OutboxMessage.state == OutboxState.DEAD)
        return list(db.session.scalars(dead.order_by(OutboxMessage.id.desc()).limit(self.MOST_DEAD)))


class ScheduledRunApi(PortalModelApi):
    """Slots of periodic jobs."""

    datamodel = PortalInterface(ScheduledRun)
    resource_name, noun = "scheduled-runs", "ScheduledRun"
    list_columns = RUN_COLUMNS
    search_columns = ["id", "name", "job", "slot", "state", "trigger", "started_at", "finished_at"]
    order_columns = ["id", "slot", "started_at", "finished_at"]
    base_order = ("id", "desc")


class ScheduledRunView(PortalModelView):
    """Slots of periodic jobs."""

    datamodel = PortalInterface(ScheduledRun)
    route_base, noun = "/scheduled-runs", "ScheduledRun"
    list_title, show_title = "Scheduled runs", "Scheduled run"
    list_subtitle = "Each slot of each periodic job, run once."
    list_columns = ["name", "slot", "state", "started_at", "finished_at", "result"]
    label_columns = {"slot": "Slot", "started_at": "Began", "finished_at": "Ended", "trigger": "Begun by"}
    order_columns = ["name", "slot", "state", "started_at", "finished_at"]
    show_columns = [*RUN_COLUMNS[1:], "duration"]
    formatters_columns = {"duration": lambda duration: took(duration) or "Not finished"}
    search_columns = ["name", "slot", "state", "trigger"]
    base_order = ("id", "desc")
