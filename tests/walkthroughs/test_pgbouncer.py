"""PgBouncer in transaction mode: a connection is lent for one transaction, and nothing of a session survives it."""

import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.foundation.embedded.running import Engines
from tests.bouncer import POOL, bouncing
from tests.browsing import Browser, Page
from tests.deployment import Deployment, at_once
from tests.runtime.processes import ROOT, wait_until

BOUNDARY = "-- a line that stands in no sheet"


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's name."""
    with TemporaryDirectory(prefix="po-") as folder:
        yield Path(folder)


@pytest.fixture
def portal(
    engines: Engines, templates: Callable[..., None], tmp_path: Path, short: Path
) -> Iterator[Deployment]:
    """The cast's portal, every process of it behind PgBouncer, with two workers for what people wait for."""
    templates("cast", "bounced")
    direct = engines.postgres.url_of("bounced")
    with (
        bouncing(engines.postgres, "bounced", short) as url,
        Deployment(tmp_path, url, BACKUP_DATABASE_URL=direct) as deployment,
    ):
        deployment.start("redis", "worker", "worker.2", "scheduler", "web")
        yield deployment


def upload(browser: Browser, sheet: str) -> Page:
    """As a browser sends the form with the file."""
    page = browser.get("/payments/imports/")
    token = page.form_with("file", "csrf_token").fields["csrf_token"]
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    body = (
        f'{head}"csrf_token"\r\n\r\n{token}\r\n'
        f'{head}"file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n{sheet}\r\n--{BOUNDARY}--\r\n'
    )
    sent = urllib.request.Request(
        page.url,
        body.encode(),
        {"Content-Type": f'multipart/form-data; boundary="{BOUNDARY}"'},
        method="POST",
    )
    return browser._open(sent, follow=True)


def flask(portal: Deployment, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flask", "--app", "app", *words]
    return subprocess.run(command, cwd=ROOT, env=portal.env, capture_output=True, text=True, check=False)


def test_a_day_of_the_portal_behind_pgbouncer(portal, browser):
    joins_and_tasks_are_done(portal, browser())
    sheet_is_imported(portal, browser())
    many_ask_at_once(portal)
    verified = flask(portal, "audit", "verify")
    assert (verified.returncode, "every link holds" in verified.stdout) == (0, True), verified.stderr
    told = flask(portal, "doctor").stdout
    assert "Sessions are in" not in told
    assert "statement_timeout" not in told
    backup_goes_past_it(portal)
    assert flask(portal, "setup").returncode == 0


def joins_and_tasks_are_done(portal: Deployment, bob: Browser) -> None:
    jane = {"name": "Jane Doe", "email": "jane@example.com", "department": "Engineering"}
    answers = at_once([lambda: portal.hr("onboarding", headers={"webhook-id": "jane-1"}, **jane)] * 6)
    assert sorted(answer.status for answer in answers) == [200] * 5 + [202]
    count = "SELECT count(*) FROM workflow_tasks JOIN users ON users.id = target_id WHERE email = %s"
    wait_until(lambda: portal.one(count, jane["email"]) == 3)
    assert bob.sign_in("bob").status == 200
    token = portal.token_of("bob")
    [task] = portal.get("/api/inbox/tasks?status=pending", token=token).json
    done = portal.send(
        "PUT", f"/api/inbox/tasks/{task['id']}", {"status": "completed", "comment": "Has it."}, token=token
    )
    assert done.status == 204
    grants = "SELECT count(*) FROM access_grants JOIN users ON users.id = person_id WHERE email = %s"
    assert portal.one(grants, jane["email"]) == 1
    assert bob.get("/inbox/").status == 200


def sheet_is_imported(portal: Deployment, root: Browser) -> None:
    root.sign_in("root")
    lines = ["Service,Product,Amount,Currency", *(f"Slack,Imported {n},{n}.00,EUR" for n in range(1, 201))]
    page = upload(root, "\r\n".join(lines))
    page = root.submit(page, page.form_with("column_0", "csrf_token"))
    state = "SELECT state FROM import_runs ORDER BY id DESC LIMIT 1"
    wait_until(lambda: portal.one(state) == "checked", 60)
    page = root.get(page.path)
    [form] = [form for form in page.forms if form.action.endswith("/import")]
    root.submit(page, form)
    wait_until(lambda: portal.one(state) == "imported", 60)
    assert portal.one("SELECT count(*) FROM products WHERE name LIKE 'Imported %%'") == 200


def backup_goes_past_it(portal: Deployment) -> None:
    """What pg_dump sets for its session would stay with a connection that the portal is lent next."""
    assert "Backup line" not in flask(portal, "doctor").stdout
    assert flask(portal, "backup").returncode == 0
    direct = portal.env.pop("BACKUP_DATABASE_URL")
    refused = flask(portal, "backup")
    assert refused.returncode == 1
    assert "name PostgreSQL itself in BACKUP_DATABASE_URL" in refused.stderr
    assert "fault    Backup line" in flask(portal, "doctor").stdout
    portal.env["BACKUP_DATABASE_URL"] = direct
    many_ask_at_once(portal)


def many_ask_at_once(portal: Deployment) -> None:
    """More than there are connections, and none is refused."""
    token = portal.token_of("root")
    paths = ["/api/services", "/api/users", "/api/payment-register", "/api/audit-logs", "/api/auth/me"] * 8
    answers = at_once([lambda path=path: portal.get(path, token=token) for path in paths])
    assert {answer.status for answer in answers} == {200}
    used = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = 'bounced' AND backend_type = 'client backend'"
    )
    assert portal.one(used) <= POOL


def test_empty_database_is_set_up_through_pgbouncer(engines, tmp_path, short):
    engines.postgres.create_database("bounced_new")
    with bouncing(engines.postgres, "bounced_new", short) as url:
        portal = Deployment(tmp_path, url)
        setups = at_once([lambda: flask(portal, "setup")] * 2)
        assert [one.returncode for one in setups] == [0, 0], setups[0].stderr + setups[1].stderr
        assert portal.one("SELECT count(*) FROM ab_user") == 1
