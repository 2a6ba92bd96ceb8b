"""Real gunicorn with two workers: sums over processes that come and go, and one kind of line whoever logs."""

import json
import os
import signal
from collections import Counter
from pathlib import Path

import psutil
import pytest

from app.foundation import gathering
from tests.deployment import Deployment
from tests.monitoring.test_metrics import of, samples
from tests.runtime.processes import wait_until

pytestmark = pytest.mark.runtime

TOKEN = "what Prometheus shows to processes"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def portal(engines, one_app, tmp_path_factory):
    """Web processes on this run's engines: what they count is not in the database."""
    deployment = Deployment(
        tmp_path_factory.mktemp("metered"),
        database_url=engines.postgres.url.replace("/portalops?", "/test?"),
        METRICS_TOKEN=TOKEN,
        LOG_FORMAT="json",
        WEB_WORKERS="2",
    )
    deployment.env["REDIS_URL"] = engines.redis.url
    with deployment:
        deployment.start("web")
        yield deployment
        if "web" in deployment.running:
            deployment.stop("web")


@pytest.fixture
def scrape(portal, app):
    def read():
        answer = portal.request("GET", "/metrics", headers=SHOWN)
        assert answer.status == 200
        return samples(answer.body.decode())

    return read


def workers(portal):
    return psutil.Process(portal.running["web"].pid).children()


def asked(found):
    return of(found, "portalops_requests_total", route="/livez", method="GET", status="200")


def gauges(folder: Path) -> set[int]:
    """The processes whose gauges are there."""
    return {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_livesum_*.db")}


def test_counts_of_all_workers_are_added_and_those_of_the_dead_are_kept(portal, scrape):
    """A killed worker's gauges vanish with it; its files do too, and no request is lost or counted twice."""
    [folder] = Path("/dev/shm").glob(f"portalops-metrics-{portal.running['web'].pid}-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    for _ in range(40):
        portal.get("/livez")
    assert asked(scrape()) == 40
    both = {worker.pid for worker in workers(portal)}
    assert len(both) == 2
    for killed in both:
        os.kill(killed, signal.SIGKILL)
        wait_until(lambda killed=killed: killed not in {one.pid for one in workers(portal)})
        wait_until(lambda: len(workers(portal)) == 2)
        wait_until(lambda killed=killed: killed not in gauges(folder))
        assert asked(scrape()) == 40
    assert not [path for path in folder.iterdir() if any(f"_{pid}.db" in path.name for pid in both)]
    for _ in range(10):
        portal.get("/livez")
    found = scrape()
    assert asked(found) == 50
    assert of(found, "portalops_request_duration_seconds_count", route="/livez", method="GET") == 50
    assert of(found, "portalops_requests_in_progress") == 1, "the scrape itself"


def test_counts_are_asked_with_the_token_by_any_name(portal, app):
    assert portal.request("GET", "/metrics", headers={**SHOWN, "Host": "10.1.2.3"}).status == 200
    assert portal.request("GET", "/metrics").status == 401


def test_whoever_logs_writes_one_json_object_a_line(portal, app):
    portal.request("GET", "/api/services?token=a-secret-of-somebody")
    log = portal.running["web"].log
    wait_until(lambda: "/api/services" in log.read_text())
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = Counter(line.get("logger", line["event"]) for line in lines)
    assert told["gunicorn.error"] >= 4
    assert told["request"] >= 1
    assert {"timestamp", "level", "event"} <= set.intersection(*(set(line) for line in lines))
    assert "a-secret-of-somebody" not in log.read_text()


def test_nothing_is_left_when_it_ends(portal, app):
    pid = portal.running["web"].pid
    portal.stop("web")
    assert list(Path("/dev/shm").glob(f"portalops-metrics-{pid}-*")) == []


def test_what_a_killed_process_left_is_removed_by_the_next(tmp_path):
    gone = tmp_path / f"{gathering._PREFIX}999999999-x"
    alive = tmp_path / f"{gathering._PREFIX}{os.getpid()}-x"
    gone.mkdir()
    alive.mkdir()
    gathering._remove_orphans(tmp_path)
    assert [gone.exists(), alive.exists()] == [False, True]
