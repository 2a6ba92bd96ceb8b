"""Logs: one line an event on standard error, JSON for machines or text for people, with the id of the request behind it.

Modules use `logging.getLogger(__name__)` and give what they know by `extra={...}`; what gunicorn, RQ, Alembic and FAB say
comes the same way. structlog makes the lines of all of it: adds what is known, hides secrets, escapes what could pass for
a line or a colour of ours. Lines that stand in the way of every request take the short way of `direct()`.
"""

import logging
from typing import Any

import structlog

from app.foundation.logs.lines import STDERR, Event, as_json, as_text
from app.foundation.logs.redaction import hide_secrets
from app.foundation.trace import known_request_id

# Says at each start that JSON columns have no filter.
SILENT = ("flask_appbuilder.models.filters",)
CHATTY = ("flask_appbuilder", "alembic", "apprise", "rq.scheduler", "rq_scheduler.scheduler")
_TIME = structlog.processors.TimeStamper(fmt="iso", utc=True)


class LineHandler(logging.Handler):
    """What is logged anywhere in the process, as lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises: a log that can't be written must not break what it tells of."""
        try:
            STDERR.msg(self.format(record).encode("utf-8", "backslashreplace"))
        except Exception:  # noqa: BLE001
            self.handleError(record)


def configure(level: str, *, json: bool) -> None:
    """Let this process log so. Safe to call again."""
    render = as_json if json else as_text
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, LineHandler)]:
        root.removeHandler(old)
    handler = LineHandler()
    handler.setFormatter(_formatter(render))
    root.addHandler(handler)
    root.setLevel(level)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.ERROR)
    structlog.configure(
        processors=[structlog.processors.add_log_level, _TIME, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=lambda *_: STDERR,
    )


def direct() -> Any:
    """A logger that costs a few microseconds a line. Its lines go out as they are: give it no secrets."""
    return structlog.get_logger().bind()


def _formatter(render: Any) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _TIME,
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _add_request_id,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            hide_secrets,
            lambda logger, method, event: render(logger, method, event).decode(),
        ],
    )


def _add_request_id(_logger: Any, _method: str, event: Event) -> Event:
    known = known_request_id()
    if known and "request_id" not in event:
        event["request_id"] = known
    return event
