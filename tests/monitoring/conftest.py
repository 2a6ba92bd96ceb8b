"""What the tests of monitoring share: an application whose database and Redis are away."""

import json
import socket

import pytest

from app import create_app
from app.foundation import jobs, logs


@pytest.fixture(scope="module")
def cut_off(one_app, settings):
    """The application as it is where nothing answers; it lets everybody in who names it as it is not called."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    changed = {
        "database_url": f"postgresql+psycopg2://nobody@127.0.0.1:{port}/gone",
        "redis_url": f"redis://127.0.0.1:{port}/0",
        "trusted_hosts": ("portal.company.test",),
        "public_url": "https://portal.company.test",
        "proxy_count": 1,
    }
    yield create_app(settings.model_copy(update=changed))
    jobs.bind(one_app)


@pytest.fixture(scope="module")
def json_portal(one_app, settings):
    """The application as production has it log."""
    yield create_app(settings.model_copy(update={"log_format": "json"}))
    logs.configure(settings.log_level, json=settings.logs_are_json)
    jobs.bind(one_app)


@pytest.fixture
def log_as(settings):
    """Have this process log as JSON or as text, for a test."""
    yield lambda *, json: logs.configure("INFO", json=json)
    logs.configure(settings.log_level, json=settings.logs_are_json)


@pytest.fixture
def json_app(json_portal, log_as):
    log_as(json=True)
    return json_portal


@pytest.fixture
def lines(capfd):
    """What was logged since the last call: the objects of JSON lines, others as text."""

    def read():
        found = [line for line in capfd.readouterr().err.splitlines() if line]
        return [json.loads(line) if line.startswith("{") else line for line in found]

    return read
