"""Every periodic job: what people call it, the job it runs, when (local time, `TIMEZONE`), and what it does."""

from datetime import time

from app.foundation import outbox
from app.foundation.cadences import Daily, Every, Weekday
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
        "Send webhooks that are due",
        "app.webhooks.jobs.look_for_due",
        Every(minutes=1),
        "Has the worker of messages look for whatever was not sent in its time, such as after a restart.",
    ),
    Periodic(
        "Forget webhooks sent three months ago",
        "app.webhooks.jobs.prune_messages",
        Daily(time(3, 20)),
        "Messages to other systems, with every attempt, are kept for 90 days; those still on their way for longer.",
    ),
    Periodic(
        "Look for messages that are due",
        "app.notifications.jobs.look_for_due",
        Every(minutes=1),
        "Messages leave at once; this finds what waited for its hour or was tried in vain, and makes the digests.",
        queue=outbox.MESSAGES,
    ),
    Periodic(
        "Delete uploaded sheets that nobody imported",
        "app.payments.jobs.prune_imports",
        Every(minutes=60),
        "An import that was begun and left alone for a week is deleted with its file.",
    ),
    Periodic(
        "Make tasks urgent when their case's day has come",
        "app.lifecycle.jobs.raise_due_cases",
        Daily(time(0, 5)),
        "What is still open when somebody starts or leaves is marked as high priority that day.",
    ),
    Periodic(
        "Ask for access that has expired",
        "app.lifecycle.jobs.ask_back_expired_access",
        Daily(time(0, 15)),
        "Access past its last day becomes a task to remove it, for whoever administers the product.",
    ),
    Periodic(
        "Export the head of the audit log",
        "app.audit.jobs.export_head",
        Daily(time(1)),
        "Where the log ends is signed and written to a file, so that an end that was cut off is noticed.",
    ),
    Periodic(
        "Verify the audit log",
        "app.audit.jobs.verify_log",
        Daily(time(1, 30)),
        "Every link of the chain and every exported head is checked. The result stands here, and in /metrics.",
        queue=outbox.LONG,
    ),
    Periodic(
        "Make a backup",
        "app.foundation.backups.jobs.make_backup",
        Daily(time(2)),
        "Database, attachments, generated secrets and exported heads go into one file in BACKUP_DIR; old ones are deleted.",
        queue=outbox.LONG,
    ),
    Periodic(
        "Forget work that was done long ago",
        "app.foundation.retention.forget_old_work",
        Daily(time(3, 30)),
        "Done background work and old runs of frequent jobs are deleted; dead letters and daily runs stay.",
        queue=outbox.LONG,
    ),
    Periodic(
        "Forget notices that were read long ago",
        "app.notifications.jobs.forget_read_notices",
        Daily(time(3, 40)),
        "Some time after it was read (KEEP_NOTICES_DAYS) a notice is deleted; unread ones stay. Messages go as late.",
    ),
    Periodic(
        "Move the tasks of people who are away",
        "app.inbox.jobs.begin_absences",
        Daily(time(0, 5)),
        "On the first day of an absence open tasks go to the substitute, if the person wants that.",
    ),
    Periodic(
        "Check which payments expire, renew or must be cancelled soon",
        "app.reminders.jobs.check_payments",
        Daily(time(9, 0)),
        "Whoever is in charge, and the Admins, get one message with all that has come near and that they were not told.",
    ),
    Periodic(
        "Check which access ends soon",
        "app.reminders.jobs.check_access",
        Daily(time(9, 10)),
        "The administrators of a product hear of each access to it some days before its last one.",
    ),
    Periodic(
        "Escalate tasks that are overdue",
        "app.reminders.jobs.escalate_tasks",
        Daily(time(9, 30)),
        "To the administrators of the service, later to the Admins; each task once for each level.",
    ),
    Periodic(
        "Remind people of their open tasks",
        "app.reminders.jobs.check_tasks",
        Daily(time(10, 0), Weekday.MONDAY),
        "Everybody with open tasks gets one list of them, the oldest first; what they acknowledged is left out.",
    ),
]
