"""The smoke test and the example client, run as their users run them, against real processes."""

import http.server
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

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
    deployment = Deployment(tmp_path_factory.mktemp("clients"), engines.postgres.url_of("clients"))
    try:
        deployment.start("redis", "web")
        yield deployment
    finally:
        deployment.end()


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


def test_people_are_onboarded_once_however_often_the_client_runs(portal, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE, encoding="utf-8")
    first = run("clients/onboard_from_csv.py", str(people), base(portal))
    assert (first.returncode, first.stdout.count("new ")) == (0, 2), first.stdout + first.stderr
    events = portal.one("SELECT count(*) FROM hr_events")
    again = run("clients/onboard_from_csv.py", str(people), base(portal))
    assert (again.returncode, again.stdout.count("known ")) == (0, 2), again.stdout + again.stderr
    assert portal.one("SELECT count(*) FROM hr_events") == events == 2


def test_bad_row_is_named_and_the_others_go_on(portal, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("name,email\n,nobody@example.com\nAda,ada@example.com\n", encoding="utf-8")
    found = run("clients/onboard_from_csv.py", str(people), base(portal))
    assert found.returncode == 1
    assert "employee.name" in found.stdout
    assert "new    ada@example.com" in found.stdout


def test_client_waits_as_long_as_it_is_told_and_sends_the_same_key(tmp_path):
    seen: list[str] = []

    class Busy(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Idempotency-Key"])
            self.send_response(202 if len(seen) > 2 else (503, 429)[len(seen) - 1])
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(b'{"message": "Onboarding workflow triggered"}')

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        people = tmp_path / "people.csv"
        people.write_text("name,email\nAda,ada@example.com\n", encoding="utf-8")
        found = run("clients/onboard_from_csv.py", str(people), f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert found.returncode == 0, found.stderr
    assert len(seen) == 3
    assert len(set(seen)) == 1
