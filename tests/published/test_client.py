"""The smoke test and the example client, run as their users run them, against real processes."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cast import PASSWORD
from tests.deployment import HR_KEY, Deployment

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
PEOPLE = """name,email,department,startDate
Jane Doe,jane.doe@example.com,Engineering,2031-03-01
John Smith,john.smith@example.com,,
"""


@pytest.fixture(scope="module")
def portal(engines, templates, tmp_path_factory):
    templates("cast", "clients")
    with Deployment(tmp_path_factory.mktemp("clients"), engines.postgres.url_of("clients")) as deployment:
        deployment.start("redis", "web", "worker")
        yield deployment


@pytest.fixture(scope="module")
def make_token(portal):
    """A personal token of root's with these scopes."""

    def post(path, body, **headers):
        request = urllib.request.Request(
            base(portal) + path, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    access = post("/api/auth/login", {"email": "root@example.com", "password": PASSWORD})["accessToken"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()

    def make(*scopes):
        wanted = {"name": "Import", "scopes": scopes, "expiresOn": tomorrow}
        return post("/api/auth/tokens", wanted, Authorization=f"Bearer {access}")["token"]

    return make


@pytest.fixture(scope="module")
def token(make_token):
    return make_token("hr-events:read", "tasks:read")


def run(script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    known = {"PATH": os.environ["PATH"], "DATA_DIR": "/nonexistent", "HR_WEBHOOK_API_KEY": HR_KEY, **env}
    return subprocess.run(
        [sys.executable, ROOT / script, *arguments],
        env=known,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def base(portal: Deployment) -> str:
    return f"http://127.0.0.1:{portal.port}"


def test_smoke_test_finds_all_well_and_leaves_nothing(portal):
    named = {name: portal.env[name] for name in ("ADMIN_EMAIL", "ADMIN_PASSWORD")}
    services = portal.one("SELECT count(*) FROM services")
    found = run("test_api.py", base(portal), **named)
    assert (found.returncode, found.stdout.splitlines()[-1]) == (0, "all well"), found.stdout + found.stderr
    assert portal.one("SELECT count(*) FROM services") == services
    assert portal.one("SELECT count(*) FROM users WHERE active AND name LIKE 'smoke test%%'") == 0


def test_smoke_test_says_what_fails(portal):
    found = run("test_api.py", base(portal), ADMIN_EMAIL="first@example.com", ADMIN_PASSWORD="wrong")
    assert found.returncode == 1
    assert "FAIL the administrator signs in" in found.stdout
    assert "ok   it is healthy" in found.stdout


def test_people_are_onboarded_once_however_often_the_client_runs(portal, token, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    first = run("clients/onboard_from_csv.py", str(people), base(portal), PORTALOPS_TOKEN=token)
    assert (first.returncode, first.stdout.count("new ")) == (0, 2), first.stdout + first.stderr
    assert "Alice: Give Jane Doe access to Gmail" in first.stdout
    assert "Bob: Give Jane Doe access to GitHub Enterprise" in first.stdout
    assert re.search(r"john.smith@example.com\n +Portal Administrator: Decide", first.stdout)
    tasks = portal.one("SELECT count(*) FROM workflow_tasks")
    again = run("clients/onboard_from_csv.py", str(people), base(portal), PORTALOPS_TOKEN=token)
    assert again.returncode == 0, again.stdout + again.stderr
    assert again.stdout == first.stdout.replace("new   ", "known ")
    assert portal.one("SELECT count(*) FROM hr_events") == 2
    assert portal.one("SELECT count(*) FROM workflow_tasks") == tasks == first.stdout.count("         ")


@pytest.mark.parametrize("scopes", [["tasks:read"], ["hr-events:read"], ["hr-events:write", "tasks:write"]])
def test_token_that_may_not_read_is_named(portal, make_token, tmp_path, scopes):
    people = tmp_path / "people.csv"
    people.write_text("name,email\nBea,bea@example.com\n", encoding="utf-8")
    found = run("clients/onboard_from_csv.py", str(people), base(portal), PORTALOPS_TOKEN=make_token(*scopes))
    assert (found.returncode, "Traceback" in found.stderr) == (1, False), found.stderr
    assert "FAILED bea@example.com\n         announced, but " in found.stdout


def test_bad_row_is_named_and_the_others_go_on(portal, token, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("name,email\n,nobody@example.com\nAda,ada@example.com\n", encoding="utf-8")
    found = run("clients/onboard_from_csv.py", str(people), base(portal), PORTALOPS_TOKEN=token)
    assert found.returncode == 1
    assert "employee.name" in found.stdout
    assert "new    ada@example.com" in found.stdout


def test_client_waits_as_long_as_it_is_told_and_sends_the_same_key(tmp_path):
    seen: list[str] = []
    read: list[str] = []

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Idempotency-Key"])
            self.answer(202 if len(seen) > 2 else (503, 429)[len(seen) - 1], {"eventId": "7"})

        def do_GET(self):
            read.append(self.headers["Authorization"])
            event = {"planned_at": "2031-03-01T09:00:00+00:00", "case_id": 1}
            self.answer(503 if len(read) == 1 else 200, {"result": [] if "tasks" in self.path else event})

        def answer(self, status, body):
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        people = tmp_path / "people.csv"
        people.write_text("name,email\nAda,ada@example.com\n", encoding="utf-8")
        found = run(
            "clients/onboard_from_csv.py",
            str(people),
            f"http://127.0.0.1:{server.server_port}",
            PORTALOPS_TOKEN="po_x",
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert found.returncode == 0, found.stderr
    assert len(seen) == 3
    assert len(set(seen)) == 1
    assert read == ["Bearer po_x"] * 3
