"""The log: a line a request and two a job, tied by the request's id; no secret in it, and nobody else's words as lines."""

import json
import logging
import re

import pytest

from app.foundation import jobs, logs, outbox
from app.foundation.database import db
from app.foundation.logs.redaction import HIDDEN, cleaned, without_secrets
from app.foundation.outbox import OutboxMessage
from tests import cast
from tests.visitor import Visitor

HOSTILE = 'bob\nINFO forged\r\x1b[31mred\x00 \x9b0m \u2028next\u202e "quoted" x=y'
# Half of a pair of UTF-16: pytest's own copy of the log can't be sent with it, so only fields have it.
HALF = "\ud800"
UNFIT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e\ud800-\udfff]")
SECRETS = [
    "Sk3letonKey.in.a.query",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "po_abcdefghijklmnopqrstuvwxyz012345",
    "Zm9yLW5vYm9keQ-calendar-address-of-one-person",
    "hunter2-but-longer",
]


@pytest.fixture
def json_visit(app, json_app):
    return lambda name=None: Visitor(json_app, name)


def requests_of(found):
    return [line for line in found if line["event"] == "request"]


def test_request_is_one_line_with_what_an_operator_asks(json_visit, world, lines):
    root = json_visit("root")
    lines()
    root.get("/services/show/1?x=1", headers={"X-Request-ID": "from-the-proxy-1"})
    root.get("/static/portal/favicon.svg")
    page, asset = requests_of(lines())
    assert page.pop("timestamp").endswith("Z")
    assert page.pop("duration_ms") > 0
    assert page.pop("statements") > 0
    assert page.pop("bytes") > 1000
    assert page == {
        "level": "info",
        "event": "request",
        "method": "GET",
        "route": "/services/show/<pk>",
        "path": "/services/show/1",
        "status": 200,
        "user": world.people["root"],
        "address": "127.0.0.1",
        "request_id": "from-the-proxy-1",
    }
    assert (asset["route"], asset["user"]) == ("/static/<path:filename>", None)
    assert asset["bytes"] > 100


def test_api_call_names_who_it_was(json_visit, world, lines):
    alice, nobody = json_visit("alice"), json_visit(None)
    lines()
    alice.api("GET", "services/")
    nobody.api("GET", "services/")
    assert [(line["status"], line["user"]) for line in requests_of(lines())] == [
        (200, world.people["alice"]),
        (401, None),
    ]


def test_probes_are_logged_only_when_they_fail(app, json_app, lines, monkeypatch):
    client = json_app.test_client()
    for path in ("/livez", "/readyz", "/health"):
        client.get(path)
    assert requests_of(lines()) == []
    monkeypatch.setitem(json_app.config, "DATA_DIR", "/nowhere")
    client.get("/readyz")
    assert [line["status"] for line in requests_of(lines())] == [503]


def test_no_request_leaves_a_secret_in_the_log(app, json_app, lines):
    client = json_app.test_client()
    query, jwt, personal, calendar, password = SECRETS
    client.get(f"/api/services?token={query}&search={query}")
    client.get("/api/services", headers={"Authorization": f"Bearer {jwt}"})
    client.get("/api/v1/services/", headers={"Authorization": f"Bearer {personal}"})
    client.get("/inbox/", headers={"Cookie": f"portalops={jwt}"})
    client.get(f"/calendar/{calendar}.ics")
    client.get(f"/calendar/{calendar}.icz")
    client.get(f"/invitation/{calendar}")
    client.get(f"/unsubscribe/{calendar}")
    client.get(f"/no-such-page/{calendar}")
    client.post("/api/auth/login", json={"email": "root@example.com", "password": password})
    client.post("/login/", data={"username": "root@example.com", "password": password})
    client.post("/api/webhooks/hr/onboarding", json={}, headers={"X-API-Key": password})
    client.get(f"/api/services/%FF{jwt}")
    found = lines()
    assert len(requests_of(found)) == 13
    written = json.dumps(found)
    assert [secret for secret in SECRETS if secret in written] == []


def test_broken_request_leaves_no_secret_either(app, json_app, lines, monkeypatch):
    """The trace is there, and so is the id that the answer names."""

    def break_down():
        raise RuntimeError(f"no connection to postgresql://portal:{SECRETS[4]}@db/portal, token={SECRETS[0]}")

    monkeypatch.setattr("app.health._disk", break_down)
    answer = json_app.test_client().get(f"/health?key={SECRETS[0]}", headers={"Accept": "application/json"})
    assert answer.status_code == 500
    error, request = lines()
    assert (error["level"], request["status"]) == ("error", 500)
    assert error["request_id"] == request["request_id"] == answer.headers["X-Request-ID"]
    assert "RuntimeError: no connection to postgresql://(hidden)@db/portal" in error["exception"]
    assert [secret for secret in SECRETS if secret in json.dumps([error, request])] == []


def test_message_of_the_database_has_no_values_of_the_statement(app, json_app, lines):
    with json_app.app_context(), pytest.raises(Exception, match="parameters hidden") as caught:
        db.session.execute(db.text("SELECT nonsense WHERE 'x' = :value"), {"value": SECRETS[4]})
    assert SECRETS[4] not in without_secrets(str(caught.value))


@pytest.mark.parametrize("as_json", [True, False])
def test_words_of_others_make_no_lines_and_no_colours(log_as, capfd, as_json):
    log_as(json=as_json)
    log = logging.getLogger("test")
    capfd.readouterr()
    log.info("signed in: %s", HOSTILE, extra={"name_given": HOSTILE + HALF, HOSTILE: 1})
    logs.direct().info("request", path=HOSTILE + HALF)
    written = capfd.readouterr().err
    assert UNFIT.search(written) is None
    assert len(written.splitlines()) == 2
    log.error("failed", exc_info=ValueError(HOSTILE))
    written = capfd.readouterr().err
    assert UNFIT.search(written) is None
    first, *rest = written.splitlines()
    assert "failed" in first
    assert all(line.startswith("    ") for line in rest)
    assert bool(rest) is not as_json


@pytest.mark.parametrize("path", ["/x%0aINFO%20forged", "/x%1b[31mred", "/x%00y", "/x%E2%80%A8y", "/x%ff"])
def test_address_of_others_makes_no_line(app, json_app, visit, capfd, path):
    """In both ways of logging, by a real request."""
    for client in (app.test_client(), json_app.test_client()):
        capfd.readouterr()
        client.get(path, headers={"X-Request-ID": "evil\u00a0id", "User-Agent": "a"})
        written = capfd.readouterr().err
        assert len(written.splitlines()) == 1
        assert UNFIT.search(written) is None


def test_what_json_is_too_strict_for_is_written_anyway(log_as, lines):
    log_as(json=True)
    lines()
    logging.getLogger("test").info("odd", extra={"big": 2**70, "thing": {1: object}, "half": "\ud800"})
    [line] = lines()
    assert line["big"] == 2**70
    assert line["half"] == "\ud800"


def test_job_tells_when_it_begins_and_ends_and_who_asked(app, json_app, json_visit, lines):
    """From the request that promised it: the same id in the request's line and in the job's."""
    root = json_visit("root")
    with json_app.app_context():
        db.session.execute(db.delete(OutboxMessage))
        db.session.commit()
    root.post("/schedule/app.foundation.idempotency.prune/run", headers={"X-Request-ID": "asked-by-root"})
    with json_app.app_context():
        key = db.session.scalars(db.select(OutboxMessage.id)).one()
        lines()
        jobs.perform(key)
    begun, slot, done = lines()
    told = {"job_id": key, "job": "app.foundation.ticking.run_slot", "queue": "default", "attempt": 1}
    assert begun["event"] == "job started"
    assert done["event"] == "job done"
    assert told.items() <= begun.items()
    assert told.items() <= done.items()
    assert done["duration_ms"] > 0
    assert slot["job"] == "app.foundation.idempotency.prune"
    assert {line["request_id"] for line in (begun, slot, done)} == {"asked-by-root"}


def test_job_that_fails_says_why(app, json_app, lines):
    with json_app.app_context():
        message = outbox.enqueue("app.nothing.at.all")
        db.session.commit()
        key = message.id
        lines()
        jobs.perform(key)
    begun, failed = lines()
    assert (begun["event"], failed["event"], failed["level"]) == ("job started", "job failed", "error")
    assert "LookupError" in failed["exception"]
    assert failed["attempt"] == 1


def test_what_a_job_promises_keeps_the_request(app, context):
    with jobs.following("a-request-id"):
        assert outbox.enqueue("app.audit.jobs.export_head").request_id == "a-request-id"
    assert outbox.enqueue("app.audit.jobs.export_head").request_id is None


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def-ghi", f"Authorization: Bearer {HIDDEN}"),
        ("Authorization: Basic dXNlcjpwdw==", f"Authorization: Basic {HIDDEN}"),
        ("redis://:pw@cache:6379/0 is away", f"redis://{HIDDEN}@cache:6379/0 is away"),
        ("GET /x?a=1&token=abc&b=2", f"GET /x?a=1&token={HIDDEN}&b=2"),
        ("GET /x?api_key=abc", f"GET /x?api_key={HIDDEN}"),
        ("{'password': 'a b', 'name': 'Jane'}", f"{{'password': {HIDDEN}, 'name': 'Jane'}}"),
        ('{"new_password": "x,y", "n": 1}', f'{{"new_password": {HIDDEN}, "n": 1}}'),
        ("X-API-Key: k1", f"X-API-Key: {HIDDEN}"),
        ("Set-Cookie: portalops=abc", f"Set-Cookie: {HIDDEN}"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw here", f"{HIDDEN} here"),
        ("outbox row 12 failed: key=12", "outbox row 12 failed: key=12"),
        ("Jane Doe was granted Gmail", "Jane Doe was granted Gmail"),
    ],
)
def test_text_loses_its_secrets_and_nothing_else(text, left):
    assert without_secrets(text) == left


def test_values_are_hidden_by_name_at_any_depth():
    found = cleaned({"user": 1, "headers": {"Cookie": "a", "Host": "b"}, "all": [{"smtp_password": "x"}]})
    assert found == {
        "user": 1,
        "headers": {"Cookie": HIDDEN, "Host": "b"},
        "all": [{"smtp_password": HIDDEN}],
    }


def test_signing_in_leaves_no_password(app, json_app, lines):
    json_app.test_client().post(
        "/api/auth/login", json={"email": "root@example.com", "password": cast.PASSWORD}
    )
    [line] = requests_of(lines())
    assert line["status"] == 200
    assert cast.PASSWORD not in json.dumps(line)


@pytest.mark.parametrize("word", ["x", "4", "token", "eyJ-", "password ", "://", "po_", "Bearer "])
def test_long_text_is_read_once(word):
    """As long as the longest address a hundred times: read again from each of its letters, it would take hours."""
    long = word * (800_000 // len(word)) if word in {"x", "4"} else word * 1_500
    told = without_secrets(f"{long} ?password=hunter2")
    assert told.endswith(f"?password={HIDDEN}")
    assert "hunter2" not in told
