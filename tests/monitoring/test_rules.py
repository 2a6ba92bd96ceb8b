"""The files for Prometheus and Grafana: right by their own tools, and about metrics and places that there are."""

import json
import re
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.audit import checking
from app.foundation import clock
from app.foundation.backups import shelf
from app.foundation.database import db
from tests.architecture.sources import ROOT
from tests.monitoring.test_metrics import TOKEN, metered, metered_portal  # noqa: F401 - fixtures
from tests.visitor import apart

FOLDER = ROOT / "deploy" / "monitoring"
ALERTS = (FOLDER / "alerts.yml").read_text(encoding="utf-8")
DASHBOARD = json.loads((FOLDER / "grafana-dashboard.json").read_text(encoding="utf-8"))
RUNBOOK = (ROOT / "docs" / "operations" / "runbook.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "operations" / "monitoring.md").read_text(encoding="utf-8")
_METRIC = re.compile(r"\bportalops_\w+")


def promtool(*words):
    assert shutil.which("promtool"), "promtool is missing: apt-get install --no-install-recommends prometheus"
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def exposed(metered, tmp_path, monkeypatch):  # noqa: F811
    """The names of all metrics, where there is a backup and a check of the log."""
    monkeypatch.setitem(metered.config, "BACKUP_DIR", str(tmp_path))
    (tmp_path / shelf.name_of(clock.now(), encrypted=False)).touch()
    with metered.app_context():
        checking.check()
        db.session.commit()
    client = metered.test_client()
    apart(client.get, "/livez")
    text = apart(client.get, "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions():
    """What the rules and the dashboard ask."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    return "\n".join([ALERTS, *asked, *(one["definition"] for one in variables() if "definition" in one)])


def variables():
    return DASHBOARD["templating"]["list"]


def test_alerts_are_rules():
    assert "SUCCESS: 18 rules found" in promtool("check", "rules", "alerts.yml")


def test_alerts_come_when_they_should():
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml")


def test_example_of_prometheus_is_a_configuration():
    assert "SUCCESS" in promtool("check", "config", "--syntax-only", "prometheus.yml")


def test_every_alert_is_tested():
    tests = (FOLDER / "alerts_test.yml").read_text(encoding="utf-8")
    names = re.findall(r"- alert: (\w+)", ALERTS)
    assert len(names) == len(set(names)) == 18
    assert [
        name for name in names if name not in tests and name not in {"RequestsFail", "RequestsSlow"}
    ] == []


def test_every_alert_leads_to_its_part_of_the_runbook():
    rules = re.findall(r"- alert: (\w+)\n(.*?)(?=\n\s*- alert:|\Z)", ALERTS, re.DOTALL)
    parts = re.findall(r"^## (\w+)$", RUNBOOK, re.MULTILINE)
    assert parts == [name for name, _ in rules]
    for name, rule in rules:
        assert f"runbook.html#{name.lower()}\n" in f"{rule}\n", name
        assert re.search(r"severity: (critical|warning)", rule), name
        assert "summary:" in rule, name


def test_every_metric_that_is_asked_for_exists(app, exposed):
    assert set(_METRIC.findall(expressions())) - exposed == set()


def test_page_names_every_metric_and_no_other(app, exposed):
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in exposed}
    told = set(_METRIC.findall(PAGE))
    assert families - told == set()
    assert told - families == set()


def test_dashboard_can_be_provisioned():
    """What Grafana needs to take it: an id of its own, a version of the schema, panels that don't lie on each other."""
    assert {"uid", "title", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    assert DASHBOARD.get("id") is None
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells, panel["title"]
        taken |= cells
    for panel in panels():
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert panel["targets"], panel["title"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_variables_of_the_dashboard_are_there():
    known = {variable["name"] for variable in variables()} | {"__rate_interval", "__all"}
    assert set(re.findall(r"\$\{?(\w+)\}?", json.dumps(DASHBOARD))) - known == set()
