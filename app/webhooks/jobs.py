"""Work of outgoing webhooks."""

from app.foundation.jobs import job
from app.webhooks import operations as webhooks


@job
def deliver_due() -> None:
    """Send what is due. It commits as it goes, so its outbox row may be taken up twice: deliveries are claimed one by one."""
    webhooks.drain()


@job
def look_for_due() -> str:
    """Each minute: whatever was not sent when it should have been, for whichever reason, is sent now."""
    due = webhooks.count_due()
    if due:
        webhooks.wake()
    return f"{due:,} due" if due else ""


@job
def prune_messages() -> str:
    """Daily: forget what is older than three months."""
    return f"{webhooks.prune():,} forgotten"
