"""JSON of answers, written by orjson: a page of rows takes it a fifth of the time, and it knows dates and times.

Times come out as ISO 8601 with their offset, dates as YYYY-MM-DD.
"""

from datetime import date
from typing import Any

import orjson
from flask import Flask, Response, current_app
from flask.json.provider import DefaultJSONProvider


class Answers(DefaultJSONProvider):
    """Flask's provider, but for answers; templates and sessions need text, which they get from the standard library."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        """What the writers do not know themselves. A datetime is a date, too."""
        return value.isoformat() if isinstance(value, date) else DefaultJSONProvider.default(value)

    def written(self, value: Any) -> bytes:
        """Compact, with a line's end. What orjson is too strict for, such as halves of UTF-16 pairs, is written anyway."""
        try:
            return orjson.dumps(value, default=self.default, option=orjson.OPT_APPEND_NEWLINE)
        except orjson.JSONEncodeError:
            return f"{self.dumps(value, separators=(',', ':'))}\n".encode()

    def response(self, *args: Any, **fields: Any) -> Response:
        """What `jsonify` makes."""
        body = self.written(self._prepare_response_obj(args, fields))
        return Response(body, mimetype=self.mimetype)


def init_app(app: Flask) -> None:
    """Let `jsonify` and `written` write with it."""
    app.json = Answers(app)


def written(value: Any) -> bytes:
    """The JSON of an answer, by itself."""
    provider: Any = current_app.json
    body: bytes = provider.written(value)
    return body
