"""The time. Tests replace `now`; nothing else in the code asks the system clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask import current_app, has_app_context


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def zone() -> ZoneInfo:
    """The company's time zone (`TIMEZONE`): what "today" and "9:00" mean."""
    return ZoneInfo(current_app.config["TIMEZONE"] if has_app_context() else "UTC")


def today() -> date:
    """The current date in the company's time zone."""
    return local(now()).date()


def local(moment: datetime) -> datetime:
    """The same instant on the company's clock."""
    return moment.astimezone(zone())
