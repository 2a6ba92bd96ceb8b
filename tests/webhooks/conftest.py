"""Endpoints that lead to real receivers on loopback, which the settings of these tests allow."""

import json
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from app.foundation import clock
from app.foundation.database import db
from app.foundation.reachable import Rules
from app.foundation.sealing import unseal
from app.webhooks import operations as webhooks
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from tests.receiver import Received

LOOPBACK = Rules(ports=(range(1, 65536),), networks=(ip_network("127.0.0.1"),), http=True)


@pytest.fixture(autouse=True)
def _loopback(app, monkeypatch):
    monkeypatch.setitem(app.config, "OUTGOING", LOOPBACK)


@pytest.fixture
def endpoint(context) -> Callable[..., WebhookEndpoint]:
    """`endpoint(receiver)` hears everything, unless it is told what to hear."""

    def make(receiver=None, *, name="Ticket system", url=None, event_types=(), **fields):
        made = webhooks.create_endpoint(
            name=name,
            url=url or receiver.url(),
            every_event=not event_types,
            event_types=event_types,
            **fields,
        )
        db.session.commit()
        return made

    return make


@pytest.fixture
def deliveries(context) -> Callable[[], list[WebhookDelivery]]:
    def read() -> list[WebhookDelivery]:
        db.session.expire_all()
        return list(db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)))

    return read


@pytest.fixture
def make_due(context) -> Callable[[], None]:
    """The wait is over."""

    def come() -> None:
        db.session.execute(
            update(WebhookDelivery)
            .where(WebhookDelivery.state == DeliveryState.WAITING)
            .values(due_at=clock.now())
        )
        db.session.commit()

    return come


def verified(request: Received, endpoint: WebhookEndpoint) -> dict:
    """The body, if the receiver's library finds that it was signed with the endpoint's secret."""
    Webhook(unseal(endpoint.secret)).verify(request.body, request.headers, json_parse=False)
    return json.loads(request.body)
