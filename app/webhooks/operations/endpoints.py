"""Endpoints: who is told what, and the secrets that prove it is us."""

import base64
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import update

from app.audit import recorder
from app.foundation import clock
from app.foundation.database import assign, db
from app.foundation.errors import Conflict, InvalidInput
from app.foundation.reachable import Refused, target
from app.foundation.sealing import seal, unseal
from app.webhooks import catalogue
from app.webhooks.access import must_be_admin
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

# How long the secret before the last one signs too, so that receivers can change over without losing a message.
BOTH_SIGN = timedelta(hours=24)
_SECRET_BYTES = 32
TURNED_OFF = "The endpoint was turned off before this arrived."


def create_endpoint(
    *, name: str, url: str, every_event: bool = False, event_types: Iterable[str] = (), enabled: bool = True
) -> WebhookEndpoint:
    """Add an endpoint, with a secret that somebody may look at once. InvalidInput for a URL that may not be called."""
    must_be_admin()
    endpoint = WebhookEndpoint(
        name=name.strip(),
        url=_checked_url(url),
        every_event=every_event,
        event_types=_checked_types(event_types, every_event=every_event),
        enabled=enabled,
        secret=seal(_new_secret()),
    )
    db.session.add(endpoint)
    db.session.flush()
    return endpoint


def change_endpoint(endpoint: WebhookEndpoint, **fields: Any) -> WebhookEndpoint:
    """Change where and what an endpoint is told, or turn it on or off."""
    must_be_admin()
    if "url" in fields:
        fields["url"] = _checked_url(fields["url"])
    every_event = fields.get("every_event", endpoint.every_event)
    if "event_types" in fields or "every_event" in fields:
        chosen = fields.get("event_types", endpoint.event_types)
        fields["event_types"] = _checked_types(chosen, every_event=every_event)
    enabled = fields.pop("enabled", None)
    assign(endpoint, fields, ("name", "url", "every_event", "event_types"))
    if enabled is True and not endpoint.enabled:
        endpoint.enabled, endpoint.disabled_reason, endpoint.failing_since = True, None, None
    elif enabled is False and endpoint.enabled:
        turn_off(endpoint, None)
    db.session.flush()
    return endpoint


def delete_endpoint(endpoint: WebhookEndpoint) -> None:
    """Remove an endpoint with its log of deliveries; the audit log keeps that it was there."""
    must_be_admin()
    db.session.delete(endpoint)
    db.session.flush()


def turn_off(endpoint: WebhookEndpoint, reason: str | None) -> None:
    """Tell it nothing any more. What had not arrived yet has failed, and can be replayed."""
    endpoint.enabled, endpoint.disabled_reason = False, reason
    db.session.flush()
    waiting = update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == DeliveryState.WAITING
    )
    db.session.execute(
        waiting.values(state=DeliveryState.FAILED, finished_at=clock.now(), last_error=TURNED_OFF)
    )


def reveal_secret(endpoint: WebhookEndpoint) -> str:
    """The secret, for the one time that it is shown. Conflict after that: a new one can be made."""
    must_be_admin()
    if endpoint.shown_at:
        raise Conflict("The secret was shown already. Make a new one if nobody has it.")
    endpoint.shown_at = clock.now()
    db.session.flush()
    return unseal(endpoint.secret)


def rotate_secret(endpoint: WebhookEndpoint) -> str:
    """A new secret, shown by this; the one before signs too for `BOTH_SIGN`."""
    must_be_admin()
    secret, now = _new_secret(), clock.now()
    endpoint.previous_secret, endpoint.previous_until = endpoint.secret, now + BOTH_SIGN
    endpoint.secret, endpoint.shown_at = seal(secret), now
    db.session.flush()
    recorder.record(
        "webhook_endpoint.rotate_secret",
        target_type="webhook_endpoint",
        target_id=str(endpoint.id),
        target_label=endpoint.name,
    )
    return secret


def secrets_of(endpoint: WebhookEndpoint) -> list[str]:
    """Those that sign now, the current one first. Raises sealing.Unreadable."""
    found = [unseal(endpoint.secret)]
    if endpoint.previous_secret and endpoint.previous_until and endpoint.previous_until > clock.now():
        found.append(unseal(endpoint.previous_secret))
    return found


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _checked_url(url: str) -> str:
    try:
        target(url, current_app.config["OUTGOING"])
    except Refused as refusal:
        raise InvalidInput(url=str(refusal)) from None
    return url


def _checked_types(names: Iterable[str] | None, *, every_event: bool) -> list[str]:
    """Who hears everything needs no list."""
    if every_event:
        return []
    chosen = sorted(set(names or ()))
    unknown = [name for name in chosen if name not in catalogue.BY_NAME]
    if unknown:
        raise InvalidInput(event_types=f"There is no event type {unknown[0][:100]}.")
    if not chosen:
        raise InvalidInput(event_types="Choose at least one event type, or every event.")
    return chosen
