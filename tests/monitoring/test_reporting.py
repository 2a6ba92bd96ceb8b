"""Reports of errors, as a real receiver on loopback gets them: the fault is in them, and nobody's data."""

import gzip
import importlib
import json
import subprocess
import sys

import pytest
import redis
from rq import Queue

from tests.deployment import Deployment
from tests.receiver import answer, receiving
from tests.runtime.processes import ROOT, wait_until

pytestmark = pytest.mark.runtime

COOKIE, TOKEN, QUERY, BODY = (
    "cookie-of-somebody",
    "po_token-of-somebody-0123",
    "query-of-somebody",
    "body-of-somebody",
)
# Sentry's client packs by what is installed.
UNPACK = {
    "": bytes,
    "gzip": gzip.decompress,
    "br": lambda body: importlib.import_module("brotli").decompress(body),
}
PERSON = "jane.doe@larkspur.example"


def events(receiver):
    """The reports in what arrived. An envelope is lines: its head, then a head and a body for each item."""
    found = []
    for request in receiver.requests:
        lines = UNPACK[request.headers.get("content-encoding", "")](request.body).splitlines()
        found += [
            json.loads(item)
            for head, item in zip(lines[1::2], lines[2::2], strict=False)
            if json.loads(head)["type"] == "event"
        ]
    return found


@pytest.fixture
def receiver():
    with receiving(answer(200, b"{}")) as started:
        yield started


@pytest.fixture
def portal(engines, app, tmp_path, receiver):
    """Processes on this run's engines, which report to the receiver."""
    deployment = Deployment(
        tmp_path,
        database_url=engines.postgres.url.replace("/portalops?", "/test?"),
        SENTRY_DSN=f"http://publickey@127.0.0.1:{receiver.port}/7",
        WEB_WORKERS="1",
    )
    deployment.env["REDIS_URL"] = engines.redis.url
    with deployment:
        yield deployment


def test_broken_request_is_reported_without_anybody_s_data(portal, receiver):
    portal.start("web")
    token = portal.token_of("root")
    portal.rows("ALTER TABLE services RENAME TO gone")
    answer_ = portal.request(
        "POST",
        f"/api/services?token={QUERY}&search={QUERY}",
        json.dumps({"name": BODY, "description": PERSON}).encode(),
        {
            "Authorization": f"Bearer {token}",
            "Cookie": f"portalops={COOKIE}",
            "Content-Type": "application/json",
            "X-Api-Key": TOKEN,
            "X-Forwarded-For": "203.0.113.9",
            "X-Request-ID": "the-one-that-broke",
        },
    )
    assert answer_.status == 500
    wait_until(lambda: events(receiver))
    [event] = events(receiver)
    assert event["exception"]["values"][-1]["type"] == "ProgrammingError"
    assert event["tags"]["request_id"] == "the-one-that-broke"
    assert (event["environment"], event["release"]) == ("development", "portalops@0.1.0")
    assert event["request"]["method"] == "POST"
    assert event["request"]["url"].endswith("/api/services")
    sent = json.dumps(event)
    for secret in (COOKIE, TOKEN, QUERY, BODY, PERSON, token, "203.0.113.9", "root@example.com", "s" * 40):
        assert secret not in sent, secret
    assert not {"user", "breadcrumbs", "server_name"} & set(event)
    assert not {"data", "cookies", "query_string", "env"} & set(event["request"])
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert not [frame for frame in frames if "vars" in frame]
    # Who receives reports may read how the portal is reached, and no key but the public one of the DSN.
    for request in receiver.requests:
        assert "publickey" in request.headers["x-sentry-auth"]


def test_failed_job_is_reported_once_with_its_request(portal, receiver):
    key = portal.one(
        "INSERT INTO outbox (job, arguments, queue, state, attempts, begun, due_at, created_at, request_id)"
        " VALUES ('app.no.such_job', '[]', 'default', 'waiting', 0, 9, now(), now(), 'promised-by-it')"
        " RETURNING id"
    )
    courier = redis.Redis.from_url(portal.env["REDIS_URL"])
    Queue("default", connection=courier).enqueue("app.foundation.jobs.perform", key)
    portal.start("worker")
    wait_until(lambda: [one for one in events(receiver) if one.get("logger") == "app.foundation.jobs"], 60)
    [event] = [one for one in events(receiver) if one.get("logger") == "app.foundation.jobs"]
    assert event["exception"]["values"][-1]["type"] == "LookupError"
    assert event["tags"]["request_id"] == "promised-by-it"
    assert event["extra"]["job"] == "app.no.such_job"


@pytest.mark.parametrize(
    ("environ", "imported"),
    [
        ({}, set()),
        ({"METRICS_TOKEN": "x"}, {"prometheus_client"}),
        ({"SENTRY_DSN": "http://key@127.0.0.1:9/1"}, {"sentry_sdk"}),
    ],
)
def test_what_is_not_asked_for_is_not_imported(tmp_path, environ, imported):
    code = (
        "import sys, app; app.create_app();"
        "print(*sorted({'sentry_sdk', 'prometheus_client'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == imported
