"""What the room of notices does by itself."""

from datetime import timedelta

from flask import current_app

from app.foundation import clock
from app.foundation.jobs import job
from app.notifications import operations as notifications


@job
def forget_read_notices() -> str:
    """Notices that were read long ago go."""
    days = timedelta(days=current_app.config["KEEP_NOTICES_DAYS"])
    return f"{notifications.forget_read(clock.now() - days)} deleted"
