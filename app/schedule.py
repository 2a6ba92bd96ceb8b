"""Every periodic job: what people call it, the job it runs, when (local time, `TIMEZONE`), and what it does."""

from datetime import time

from app.foundation.cadences import Daily, Every
from app.foundation.ticking import Periodic

SCHEDULE = [
    Periodic(
        "Close sign-ins of people whose last day has come",
        "app.lifecycle.jobs.leave_on_last_days",
        Every(minutes=15),
        "Signs out whoever leaves today, ends their sessions and tokens, and opens a case if there is none.",
    ),
    Periodic(
        "Forget old attempts to sign in",
        "app.directory.jobs.prune_sign_in_limits",
        Every(minutes=60),
        "Attempts that no longer count towards a lock are deleted.",
    ),
    Periodic(
        "Forget answers kept for scripts that repeat a request",
        "app.foundation.idempotency.prune",
        Every(minutes=60),
        "An answer is given again for a day; older ones are deleted.",
    ),
    Periodic(
        "Move renewals on that have passed",
        "app.payments.jobs.move_renewals_on",
        Daily(time(0, 10)),
        "A payment that renews by itself names its coming renewal instead of the one that has passed.",
    ),
    Periodic(
        "Delete uploaded sheets that nobody imported",
        "app.payments.jobs.prune_imports",
        Every(minutes=60),
        "An import that was begun and left alone for a week is deleted with its file.",
    ),
]
