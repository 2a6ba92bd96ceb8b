"""How the machinery itself is doing: pages and API of the outbox and of the periodic jobs, for Admins."""

from app.foundation.api import PortalModelApi
from app.foundation.fab import PortalInterface
from app.foundation.outbox import OutboxMessage
from app.foundation.ticking import ScheduledRun
from app.foundation.views import PortalModelView

OUTBOX_COLUMNS = [
    "id",
    "job",
    "arguments",
    "queue",
    "state",
    "attempts",
    "due_at",
    "created_at",
    "finished_at",
    "last_error",
    "request_id",
]
RUN_COLUMNS = ["id", "name", "job", "slot", "started_at", "finished_at", "result"]


class OutboxApi(PortalModelApi):
    """What is promised to be done."""

    datamodel = PortalInterface(OutboxMessage)
    resource_name, noun = "outbox", "Outbox"
    list_columns = OUTBOX_COLUMNS
    search_columns = ["id", "job", "queue", "state", "attempts", "due_at", "created_at", "finished_at"]
    order_columns = ["id", "due_at", "created_at", "finished_at"]
    base_order = ("id", "desc")


class OutboxView(PortalModelView):
    """What is promised to be done."""

    datamodel = PortalInterface(OutboxMessage)
    route_base, noun = "/outbox", "Outbox"
    list_title, show_title = "Background work", "Background work"
    list_subtitle = "Every promise of work, and whether it was kept. A dead one failed ten times."
    list_columns = ["job", "state", "attempts", "created_at", "finished_at"]
    order_columns = ["state", "attempts", "created_at", "finished_at"]
    show_columns = OUTBOX_COLUMNS
    search_columns = ["job", "state", "queue", "created_at"]
    base_order = ("id", "desc")


class ScheduledRunApi(PortalModelApi):
    """Slots of periodic jobs."""

    datamodel = PortalInterface(ScheduledRun)
    resource_name, noun = "scheduled-runs", "ScheduledRun"
    list_columns = RUN_COLUMNS
    search_columns = ["id", "name", "slot", "started_at", "finished_at"]
    order_columns = ["id", "slot", "started_at", "finished_at"]
    base_order = ("id", "desc")


class ScheduledRunView(PortalModelView):
    """Slots of periodic jobs."""

    datamodel = PortalInterface(ScheduledRun)
    route_base, noun = "/scheduled-runs", "ScheduledRun"
    list_title, show_title = "Scheduled runs", "Scheduled run"
    list_subtitle = "Each slot of each periodic job, run once."
    list_columns = ["name", "slot", "started_at", "finished_at", "result"]
    order_columns = ["name", "slot", "started_at", "finished_at"]
    show_columns = RUN_COLUMNS
    search_columns = ["name", "slot"]
    base_order = ("id", "desc")
