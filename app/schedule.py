"""Every periodic job: what people call it, the job it runs, and when (local time, `TIMEZONE`)."""

from app.foundation.ticking import Every, Periodic

SCHEDULE = [
    Periodic(
        "Close sign-ins of people whose last day has come",
        "app.lifecycle.jobs.leave_on_last_days",
        Every(minutes=15),
    ),
]
