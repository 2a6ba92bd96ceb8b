"""`python -m app.healthcheck`: the truth about real processes that stand still, are gone, or lost their Redis."""

import subprocess
import sys

import pytest
import redis

from app import healthcheck
from app.foundation import heartbeats
from config import load
from tests.runtime.processes import ROOT, wait_until

pytestmark = pytest.mark.faults
KEYS = {"worker": heartbeats.WORKERS, "scheduler": heartbeats.SCHEDULERS}


@pytest.fixture
def ask(portal):
    """What the check of a process says, with the portal's own settings."""
    return lambda name: healthcheck.CHECKS[name](load(portal.env))


@pytest.fixture
def courier(portal):
    return redis.Redis.from_url(portal.redis.url)


@pytest.mark.parametrize("name", healthcheck.CHECKS)
def test_process_that_works_is_well(portal, name):
    command = [sys.executable, "-m", "app.healthcheck", name]
    done = subprocess.run(command, env=portal.env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert name in done.stdout


@pytest.mark.parametrize("name", ["worker", "scheduler"])
def test_process_that_stands_still_is_not(portal, ask, courier, name):
    with portal.frozen(name):
        for key in courier.scan_iter(f"{KEYS[name]}*"):
            courier.delete(key)  # as they run out by themselves, up to 90 seconds later
        with pytest.raises(healthcheck.Unwell, match=f"no {name} of this host"):
            ask(name)
    wait_until(lambda: courier.keys(f"{KEYS[name]}*"))
    assert name in ask(name)


def test_web_process_that_stands_still_is_not(portal, ask, monkeypatch):
    monkeypatch.setattr(healthcheck, "SECONDS", 0.5)
    web = portal.running["web"]
    for child in web.descendants():
        child.suspend()
    try:
        with pytest.raises(healthcheck.Unwell, match="does not answer"):
            ask("web")
    finally:
        for child in web.descendants():
            child.resume()


def test_process_that_ended_is_not(portal, ask):
    portal.stop("scheduler")
    with pytest.raises(healthcheck.Unwell):
        ask("scheduler")


def test_without_redis_nobody_works(portal, ask):
    portal.kill("redis")
    for name in ("worker", "scheduler"):
        with pytest.raises(healthcheck.Unwell, match="Redis does not answer"):
            ask(name)


def test_settings_that_make_no_sense_are_a_fault_and_not_a_trace(portal, monkeypatch, capsys):
    monkeypatch.setenv("PORT", "many")
    assert healthcheck.main(["web"]) == 1
    assert "PORT" in capsys.readouterr().err
    assert healthcheck.main(["cook"]) == 2
