"""A deployment cuts an import off in the middle: it is done again by the new worker, whole and once."""

from contextlib import closing

import psycopg2
import pytest

from tests.browsing import Browser, Page
from tests.runtime.processes import wait_until

pytestmark = pytest.mark.faults

ROWS = 200
SHEET = "\n".join(
    ["Service,Product,Amount,Currency", *(f"Suite,Cut off {n},{n}.50,EUR" for n in range(1, ROWS + 1))]
)
BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
IMPORTED = """
    SELECT count(*), count(DISTINCT product.name), sum(payment.amount) FROM products product
    JOIN payment_infos payment ON payment.product_id = product.id WHERE product.name LIKE 'Cut off %%'
"""
LOGGED = """
    SELECT count(*), count(DISTINCT target_label) FROM audit_logs
    WHERE action = 'product.create' AND target_label LIKE 'Cut off %%'
"""


def press(browser: Browser, path: str, action: str) -> Page:
    """Send the form of the page whose address ends so, as it stands."""
    page = browser.get(path)
    [form] = [form for form in page.forms if form.action.endswith(action)]
    return browser.submit(page, form)


def test_import_cut_off_by_a_deployment_is_done_once(portal, drained):
    browser = Browser(f"http://127.0.0.1:{portal.port}")
    browser.sign_in("first")
    start = browser.get("/payments/imports/")
    [form] = [form for form in start.forms if "file" in form.fields]
    path = browser.upload(start, form, "file", ("register.csv", SHEET.encode())).path
    press(browser, path, "/check")
    key = int(path.rpartition("/")[2])
    state = "SELECT state FROM import_runs WHERE id = %s"
    wait_until(lambda: portal.one(state, key) == "checked", 60)

    with closing(psycopg2.connect(portal.database_url.replace("+psycopg2", ""))) as holder:
        # Products can't be added to the service while somebody holds it: the import stands still in the middle.
        holder.cursor().execute("SELECT 1 FROM services WHERE name = 'Suite' FOR UPDATE")
        press(browser, path, "/import")
        wait_until(lambda: portal.one(BLOCKED) == 1, 60)
        portal.stop("web")
        portal.kill("worker")  # its supervisor's grace is over
        portal.run("setup")
        portal.start("web", "worker")
    drained(60)
    assert portal.one(state, key) == "imported"
    total = sum(range(1, ROWS + 1)) + ROWS / 2
    assert [tuple(map(float, row)) for row in portal.rows(IMPORTED)] == [(ROWS, ROWS, total)]
    assert portal.rows(LOGGED) == [(ROWS, ROWS)]
