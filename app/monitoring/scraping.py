"""`/metrics`, for Prometheus: what requests were like, counted by the web processes, and what the portal's tables say now.

Private: without METRICS_TOKEN there is no such page, with it whoever asks shows it. The processes' counts and the tables'
figures are asked one after the other, so that a database that is away takes the figures along and nothing else.
"""

import hmac
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app, request

from app.foundation.errors import Unauthorized
from app.foundation.observing import Meter

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def init_app(app: Flask) -> None:
    """A page that is not there, unless there is a token."""
    app.add_url_rule("/metrics", "metrics", metrics)


def meter(token: str) -> Meter | None:
    """Who counts requests, if anybody is to read it."""
    if not token:
        return None
    from app.foundation.metering import RequestMeter  # noqa: PLC0415 - costs memory and time, and is seldom asked for

    return RequestMeter()


def metrics() -> Response:
    """Everything there is. Costs at most ten statements, whatever the tables hold."""
    token = current_app.config["METRICS_TOKEN"]
    if not token:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    is_known = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    if scheme.lower() != "bearer" or not is_known:
        raise Unauthorized("Show METRICS_TOKEN: Authorization: Bearer ...")
    return Response(_counted() + _measured(), content_type=CONTENT_TYPE)


def _counted() -> bytes:
    folder: Path | None = current_app.config["METRICS_FOLDER"]
    if folder:
        from app.foundation import gathering  # noqa: PLC0415

        return gathering.gathered(folder)
    from app.foundation import metering  # noqa: PLC0415

    return metering.exposed()


def _measured() -> bytes:
    from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415

    from app.monitoring.measures import PortalCollector  # noqa: PLC0415

    registry: Any = CollectorRegistry()
    registry.register(PortalCollector())
    return generate_latest(registry)
