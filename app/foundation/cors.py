"""Which other origins' scripts may read the API: those of `CORS_ORIGINS`, on every answer, errors included.

The whole rule in one place; tokens travel in a header, so no answer allows credentials and no origin gets cookies.
"""

from flask import Flask, Response, current_app, request

METHODS = "GET, POST, PUT, DELETE, OPTIONS"
ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match"
EXPOSED_HEADERS = "X-Total-Count, Link, ETag, X-Request-ID, Idempotency-Replayed, Retry-After"
REMEMBERED_SECONDS = "600"


def init_app(app: Flask, origins: tuple[str, ...]) -> None:
    """An origin is compared whole: a name that only begins or ends like one of ours is a stranger."""
    named = frozenset(origin.rstrip("/") for origin in origins)

    @app.before_request
    def answer_preflight() -> Response | None:
        """A preflight carries no token, so it is answered before anybody asks who it is, whatever the path."""
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        return Response(status=204) if is_preflight and _is_api() else None

    @app.after_request
    def allow(response: Response) -> Response:
        if not _is_api():
            return response
        response.vary.add("Origin")
        origin = request.headers.get("Origin", "")
        if origin in named or (origin and "*" in named):
            _allow(response, origin)
        return response


def _is_api() -> bool:
    return request.path.startswith(("/api/", f"{current_app.config['API_PREFIX']}/"))


def _allow(response: Response, origin: str) -> None:
    headers = response.headers
    headers["Access-Control-Allow-Origin"] = origin
    headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    if request.method == "OPTIONS":
        headers["Access-Control-Allow-Methods"] = METHODS
        headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        headers["Access-Control-Max-Age"] = REMEMBERED_SECONDS
