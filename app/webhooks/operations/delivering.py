"""The way out. A call happens between two transactions: one claims the delivery, one writes down what came of it.

No transaction is open while somebody else's system takes its time. A worker that dies in between leaves a delivery that
is due again when its lease is over: it arrives once more under the same `webhook-id`, by which receivers tell.
"""

import time
from collections import Counter
from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Select, func, select, true
from sqlalchemy.orm import joinedload

from app.foundation import clock, outbox, sealing, trace
from app.foundation.database import db
from app.webhooks.models import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.webhooks.operations import calling
from app.webhooks.operations.calling import Call, Outcome
from app.webhooks.operations.endpoints import secrets_of
from app.webhooks.operations.publishing import wake
from app.webhooks.operations.recording import record

# Longer than a call may take, and than a worker needs to write down what came of it.
LEASE = timedelta(seconds=60)
DRAIN_SECONDS = 25.0
SOON = timedelta(minutes=2)
TOGETHER = 8
TOGETHER_AT_ONE = 2
_LOOK_SECONDS = 1.0


def drain(seconds: float = DRAIN_SECONDS) -> int:
    """Deliver what is due for about so long, and say how many calls were made. Commits as it goes.

    Several calls are made at once, few of them to one endpoint, and whoever gave no answer is left alone until the next
    drain: somebody slow holds nobody up.
    """
    ends, made = time.monotonic() + seconds, 0
    allowed = current_app.config["OUTGOING"]
    under_way: dict[Future[Outcome], Call] = {}
    silent: set[int] = set()
    with ThreadPoolExecutor(TOGETHER, "webhook") as pool:
        while True:
            while len(under_way) < TOGETHER and time.monotonic() < ends:
                calls = claim(TOGETHER - len(under_way), silent | _busy(under_way.values()))
                under_way |= {pool.submit(calling.make, call, allowed): call for call in calls}
                made += len(calls)
                if not calls:
                    break
            if not under_way:
                break
            for future in wait(under_way, _LOOK_SECONDS, FIRST_COMPLETED).done:
                call, outcome = under_way.pop(future), future.result()
                if outcome.status is None:
                    silent.add(call.endpoint_id)
                record(call, outcome)
                db.session.commit()
    _promise_next(silent)
    db.session.commit()
    return made


def _busy(calls: Collection[Call]) -> set[int]:
    counts = Counter(call.endpoint_id for call in calls)
    return {endpoint for endpoint, count in counts.items() if count >= TOGETHER_AT_ONE}


def _promise_next(silent: Collection[int]) -> None:
    """Have the worker come again for what is left over or due soon. The look of each minute is early enough for the rest."""
    earliest = _waiting(func.min(WebhookDelivery.due_at)).where(WebhookEndpoint.id.not_in(list(silent)))
    due_at = db.session.scalar(earliest)
    if due_at is None:
        return
    delay = due_at - clock.now()
    if delay <= timedelta():
        wake()
    elif delay < SOON:
        outbox.enqueue("app.webhooks.jobs.deliver_due", queue=outbox.MESSAGES, delay=delay)


def count_due() -> int:
    """How many deliveries could be made now."""
    return db.session.scalar(_waiting(func.count()).where(WebhookDelivery.due_at <= clock.now())) or 0


def _waiting(wanted: Any) -> Select[Any]:
    """Something about the deliveries that wait at endpoints that are on."""
    query = select(wanted).select_from(WebhookDelivery).join(WebhookEndpoint)
    return query.where(WebhookEndpoint.enabled, WebhookDelivery.state == DeliveryState.WAITING)


def claim(most: int, but: Collection[int] = ()) -> list[Call]:
    """Take what is due, the oldest of each endpoint, from this moment on nobody else's. Commits."""
    first = (
        select(WebhookDelivery.id, WebhookDelivery.due_at)
        .where(
            WebhookDelivery.endpoint_id == WebhookEndpoint.id,
            WebhookDelivery.state == DeliveryState.WAITING,
            WebhookDelivery.due_at <= clock.now(),
        )
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(1)
        .correlate(WebhookEndpoint)
        .with_for_update(skip_locked=True)
        .lateral("first")
    )
    chosen = (
        select(first.c.id)
        .select_from(WebhookEndpoint)
        .join(first, true())
        .where(WebhookEndpoint.enabled, WebhookEndpoint.id.not_in(list(but)))
        .order_by(first.c.due_at)
        .limit(most)
    )
    keys = list(db.session.scalars(chosen))
    query = select(WebhookDelivery).where(WebhookDelivery.id.in_(keys))
    query = query.options(joinedload(WebhookDelivery.message), joinedload(WebhookDelivery.endpoint))
    calls = [begin(delivery) for delivery in (db.session.scalars(query) if keys else ())]
    db.session.commit()
    return calls


def begin(delivery: WebhookDelivery) -> Call:
    """Note that a call begins, and what it will say."""
    now, endpoint, message = clock.now(), delivery.endpoint, delivery.message
    delivery.attempts += 1
    delivery.due_at = now + LEASE
    headers, fault = {}, None
    try:
        agent = f"{current_app.config['APP_NAME']}/{current_app.config['VERSION']}"
        headers = calling.signed_headers(message.uid, message.body, secrets_of(endpoint), now, agent)
        if message.request_id:
            headers[trace.HEADER] = message.request_id
    except sealing.Unreadable:
        fault = "The signing secret was kept with another SECRET_KEY. Make a new one."
    attempt = WebhookAttempt(
        delivery_id=delivery.id, started_at=now, url=endpoint.url, request_headers=headers
    )
    db.session.add(attempt)
    db.session.flush()
    return Call(
        delivery.id, endpoint.id, attempt.id, delivery.attempts, endpoint.url, headers, message.body, fault
    )
