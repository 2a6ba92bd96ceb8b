"""What the room of notices does by itself."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select

from app.foundation import clock
from app.foundation.database import db
from app.foundation.jobs import job
from app.notifications import delivery, digests, planning, sending
from app.notifications import operations as notifications
from app.notifications.message_models import Message, MessageState

SOON = timedelta(minutes=1)


@job
def send_due() -> str:
    """Make digests, send what is due for some seconds, and promise the rest. Commits in between: see `delivery`."""
    delivery.give_up_lost()
    delivery.keep_waiting_mail()
    while digests.make_due():
        db.session.commit()
    tried, there_is_more = delivery.drain()
    sending.tell_of_dead_letters()
    _promise_next(there_is_more)
    return f"{tried} tried"


@job
def look_for_due() -> None:
    """Each minute: wake whoever sends if there is something to do, which a lost wake-up would else leave lying."""
    planning.wake_if(delivery.there_is_work())


def _promise_next(there_is_more: bool) -> None:  # noqa: FBT001
    """What is left is for the next drain, what is due within the minute for one of its own.

    A channel that is out of order is left to `look_for_due`, or this would ask it again and again.
    """
    now = clock.now()
    if there_is_more:
        planning.wake_if(True)
        return
    waiting = Message.state == MessageState.WAITING
    next_due = db.session.scalar(select(func.min(Message.due_at)).where(waiting, Message.due_at > now))
    if next_due is not None and next_due - now < SOON:
        planning.wake_if(True, delay=next_due - now)


@job
def forget_read_notices() -> str:
    """Notices that were read long ago go, and messages that ended then."""
    before = clock.now() - timedelta(days=current_app.config["KEEP_NOTICES_DAYS"])
    notices = notifications.forget_read(before)
    return f"{notices} notices and {sending.forget_ended(before)} messages deleted"
