"""Errors are reported to Sentry, or what speaks like it, if SENTRY_DSN says where: the fault, and nobody's data.

What the log calls an error becomes a report, from requests, jobs and commands alike. Local variables, bodies, cookies,
headers, queries and people stay here; what is left loses its secrets once more, as lines of the log do.
"""

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.integrations.rq import RqIntegration
from sentry_sdk.integrations.threading import ThreadingIntegration

from app import VERSION
from app.foundation.logs.redaction import cleaned, stray_path
from app.foundation.trace import known_request_id

Event = dict[str, Any]

# The only headers that tell something about a fault and nothing about a person.
HEADERS = frozenset({"Host", "Content-Type", "Content-Length", "Accept", "X-Request-Id"})
REQUEST = ("method", "url")


def begin(dsn: str, environment: str) -> None:
    """Report what goes wrong in this process from now on."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=f"portalops@{VERSION}",
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[
            FlaskIntegration(),
            RqIntegration(),
            LoggingIntegration(level=None),
            ExcepthookIntegration(),
            ThreadingIntegration(),
            DedupeIntegration(),
            AtexitIntegration(callback=lambda _waiting, _seconds: None),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        before_send=scrubbed,
        shutdown_timeout=2,
    )


def scrubbed(event: Any, _hint: Any) -> Any:
    """The report without whatever could be somebody's."""
    for name in ("user", "breadcrumbs", "server_name"):
        event.pop(name, None)
    if "request" in event:
        event["request"] = _request(event["request"])
    known = known_request_id()
    if known:
        event.setdefault("tags", {})["request_id"] = known
    return _cleaned_event(event)


def _request(found: Event) -> Event:
    """Without query, body, cookies, environment and most headers. Secrets may be part of addresses, too."""
    kept = {name: found[name] for name in REQUEST if name in found}
    if "url" in kept:
        scheme, _, rest = str(kept["url"]).partition("?")[0].partition("://")
        host, _, path = rest.partition("/")
        kept["url"] = f"{scheme}://{host}{stray_path(f'/{path}')}"
    headers = found.get("headers") or {}
    kept["headers"] = {name: value for name, value in headers.items() if name.title() in HEADERS}
    return kept


def _cleaned_event(event: Event) -> Event:
    """Everything that people or programs wrote; the rest is Sentry's own."""
    for name in ("exception", "logentry", "message", "extra", "contexts", "request", "tags", "transaction"):
        if name in event:
            event[name] = cleaned(event[name])
    return event
