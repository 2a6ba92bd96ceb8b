"""Denials belong in the log: somebody signed in who tried what their role does not allow."""

from flask import Flask, Response, request

from app.audit import recorder
from app.foundation.database import db
from app.foundation.viewer import current_viewer


def init_app(app: Flask) -> None:
    """Note every 403 of somebody signed in, in a transaction of its own: the request's own was rolled back."""

    @app.after_request
    def note_denial(response: Response) -> Response:
        if response.status_code == 403 and current_viewer() is not None:
            db.session.rollback()
            recorder.record(
                "auth.denied", target_type="route", target_label=f"{request.method} {request.path}"[:200]
            )
            db.session.commit()
        return response
