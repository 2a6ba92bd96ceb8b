"""How many requests, how long, and how many SQL statements, by route: what `observing` tells, kept for `/metrics`.

Imported only where metrics are on, after gunicorn has named the folder that its processes share: prometheus_client asks
for that as it is imported.
"""

from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)

# When a series began is told of single processes only, and doubles what a scrape carries.
disable_created_metrics()  # type: ignore[no-untyped-call]
REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "portalops_requests", "Requests answered.", ["route", "method", "status"], registry=REGISTRY
)
DURATION = Histogram(
    "portalops_request_duration_seconds",
    "From the first hook to the answer.",
    ["route", "method"],
    buckets=SECONDS,
    registry=REGISTRY,
)
STATEMENTS = Counter(
    "portalops_request_sql_statements",
    "SQL statements that requests took.",
    ["route", "method"],
    registry=REGISTRY,
)
IN_PROGRESS = Gauge(
    "portalops_requests_in_progress",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)


class RequestMeter:
    """Keeps what it counts with at hand: looking a child up by its labels takes longer than counting."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, int], tuple[Any, Any, Any]] = {}

    def begin(self) -> None:
        """A request came."""
        IN_PROGRESS.inc()

    def end(self, route: str, method: str, status: int, seconds: float, statements: int) -> None:
        """It was answered."""
        found = self._kept.get((route, method, status))
        if found is None:
            found = self._children(route, method, status)
        requests, duration, sql = found
        requests.inc()
        duration.observe(seconds)
        sql.inc(statements)
        IN_PROGRESS.dec()

    def _children(self, route: str, method: str, status: int) -> tuple[Any, Any, Any]:
        """A client may invent methods, but no series of ours by them."""
        known = method if method in METHODS else "other"
        found = (
            REQUESTS.labels(route, known, str(status)),
            DURATION.labels(route, known),
            STATEMENTS.labels(route, known),
        )
        if known == method:
            self._kept[route, method, status] = found
        return found


def exposed() -> bytes:
    """What this process counted, where it is the only one."""
    return generate_latest(REGISTRY)
