"""Security headers on every response, and a nonce for every script."""

from typing import Any

from flask import Flask, Response, request
from flask_talisman import Talisman

POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}


_SCRIPTS = f"script-src {POLICY['script-src']}"
_BEFORE, _AFTER = "; ".join(f"{part} {allowed}" for part, allowed in POLICY.items()).split(_SCRIPTS)


class _Headers(Talisman):
    """Joins the policy once, not at each answer: it is the same but for its nonce, which errors without one lack."""

    def _parse_policy(self, _policy: Any) -> str:
        nonce = getattr(request, "csp_nonce", None)
        return f"{_BEFORE}{_SCRIPTS} 'nonce-{nonce}'{_AFTER}" if nonce else f"{_BEFORE}{_SCRIPTS}{_AFTER}"


def init_app(app: Flask, *, secure: bool) -> None:
    """`secure` says that people reach us over TLS: cookies are then marked so and HSTS is sent."""
    _Headers(
        app,
        content_security_policy=POLICY,
        content_security_policy_nonce_in=["script-src"],
        force_https=False,
        strict_transport_security=secure,
        session_cookie_secure=secure,
        session_cookie_samesite="Lax",
        frame_options="DENY",
        referrer_policy="same-origin",
        permissions_policy={"camera": "()", "microphone": "()", "geolocation": "()"},
    )

    @app.after_request
    def keep_data_private(response: Response) -> Any:
        if not (request.endpoint or "").endswith("static"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
