"""Searching a row to refer to: what the selects of forms ask while somebody types. Row rules apply as everywhere."""

from typing import Any

from flask import jsonify, request
from flask_appbuilder import BaseView, expose
from sqlalchemy import inspect, select

from app.foundation.database import db
from app.foundation.errors import NotFound, Unauthorized
from app.foundation.viewer import current_viewer

PAGE = 30
_labels: dict[type[Any], Any] = {}


def offer(model: type[Any], label: Any) -> None:
    """Let forms refer to this model's rows, each shown by this column."""
    _labels[model] = label


def label_column(model: type[Any]) -> Any:
    """What shows a row of the model in a select."""
    return _labels[model]


class LookupView(BaseView):
    """`GET /lookup/<table>?q=text&page=1`: the visible rows whose label holds the text, as Select2 reads them."""

    route_base = "/lookup"

    @expose("/<noun>")
    def find(self, noun: str) -> Any:
        """Anonymous viewers get 401, an unknown table 404."""
        if current_viewer() is None:
            raise Unauthorized("Sign in first.")
        model = next((model for model in _labels if model.__tablename__ == noun), None)
        if model is None:
            raise NotFound("There is nothing to look up here.")
        text = request.args.get("q", "")[:100].replace("\x00", "").replace("%", r"\%").replace("_", r"\_")
        page = min(max(request.args.get("page", 1, type=int) or 1, 1), 1000)
        key, label = inspect(model).primary_key[0], _labels[model]
        query = select(key, label).select_from(model).where(label.ilike(f"%{text}%")).order_by(label, key)
        rows = db.session.execute(query.limit(PAGE + 1).offset((page - 1) * PAGE)).all()
        found = [{"id": row[0], "text": row[1]} for row in rows[:PAGE]]
        return jsonify(results=found, pagination={"more": len(rows) > PAGE})
