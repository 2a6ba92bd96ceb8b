"""A portal of which every process runs is well, and the doctor says so."""

import json
import subprocess
import sys

from tests.runtime.processes import ROOT, wait_until


def test_doctor_finds_no_fault_where_everything_runs(portal):
    command = [sys.executable, "-m", "flask", "--app", "app", "doctor", "--json"]
    wait_until(lambda: portal.one("SELECT count(*) FROM scheduled_runs") > 0, 60)
    wait_until(lambda: portal.one("SELECT count(*) FROM scheduled_runs WHERE state <> 'done'") == 0, 60)
    done = subprocess.run(command, cwd=ROOT, env=portal.env, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert [one for one in told["findings"] if one["state"] == "fault"] == []
    assert done.returncode == 0
    assert len({one["check"] for one in told["findings"]}) > 15
