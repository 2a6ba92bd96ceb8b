"""Every periodic job: what people call it, the job it runs, and when (local time, `TIMEZONE`)."""

from datetime import time

from app.foundation.ticking import Daily, Every, Periodic

SCHEDULE = [
    Periodic(
        "Close sign-ins of people whose last day has come",
        "app.lifecycle.jobs.leave_on_last_days",
        Every(minutes=15),
    ),
    Periodic(
        "Forget old attempts to sign in",
        "app.directory.jobs.prune_sign_in_limits",
        Every(minutes=60),
    ),
    Periodic(
        "Forget answers kept for scripts that repeat a request",
        "app.foundation.idempotency.prune",
        Every(minutes=60),
    ),
    Periodic(
        "Move renewals on that have passed",
        "app.payments.jobs.move_renewals_on",
        Daily(time(0, 10)),
    ),
    Periodic(
        "Delete uploaded sheets that nobody imported",
        "app.payments.jobs.prune_imports",
        Every(minutes=60),
    ),
]
