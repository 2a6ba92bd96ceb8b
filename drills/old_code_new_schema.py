"""The version before this one runs on the tables of this one: as it does in each rolling upgrade, between `flask setup` and its restart.

Takes the older code out of the git history (without `--commit`, what was there before the newest migration came), sets up
the demo company with it, migrates with the code of this folder beside the running portal, and then, on the new tables, runs
the older code's own smoke test while its worker and scheduler go on: once more with processes started afresh. At last this
folder's code takes over, and its smoke test is run.

    .venv/bin/python -m drills.old_code_new_schema [--commit HASH]
"""

import argparse
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.deployment import Deployment, throwaway
from tests.runtime.processes import ROOT, wait_until

SERVING = ("web", "worker", "scheduler")
TROUBLE = "SELECT job, last_error FROM outbox WHERE last_error IS NOT NULL"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--commit", default="", help="the older version; else the one before the newest migration"
    )
    commit = parser.parse_args().commit or before_newest_migration()
    with tempfile.TemporaryDirectory(prefix="portalops-drill-") as folder:
        older = Path(folder) / "older"
        unpack(commit, older)
        with throwaway() as portal:
            return drill(portal, older)


def drill(portal: Deployment, older: Path) -> int:
    """Old code, new tables, new code; 0 if nobody noticed."""
    portal.code = older
    portal.open(*SERVING)
    print(f"older code, older tables: revision {revision(portal)}", flush=True)
    failed = smoke(portal, "older code, older tables")
    portal.code = ROOT
    portal.run("setup")
    portal.code = older
    print(f"migrated beside it: revision {revision(portal)}", flush=True)
    failed += smoke(portal, "older code, newer tables")
    failed += turn_over(portal, "older code started on newer tables")
    portal.code = ROOT
    failed += turn_over(portal, "newer code, newer tables")
    trouble = portal.rows(TROUBLE)
    print(f"work that failed: {trouble or 'none'}; load {os.getloadavg()[0]:.1f}")
    return int(bool(failed or trouble))


def turn_over(portal: Deployment, what: str) -> int:
    """Start all processes anew, with the code of the moment."""
    for name in SERVING:
        portal.stop(name)
    portal.start(*SERVING)
    return smoke(portal, what)


def smoke(portal: Deployment, what: str) -> int:
    """Run the smoke test that came with the code; 1 if a check failed."""
    command = [sys.executable, "test_api.py", f"http://127.0.0.1:{portal.port}"]
    done = subprocess.run(
        command, cwd=portal.code, env=portal.env, capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stdout.splitlines() if not line.startswith("ok")]
    print(
        f"{what}: {done.stdout.count('ok  ')} checks well; {' '.join(lines) or done.stderr[-500:]}",
        flush=True,
    )
    return int(done.returncode != 0) + announce(portal, what)


def announce(portal: Deployment, what: str) -> int:
    """HR announces a joiner, and the worker makes a task and a notice of it; 1 if it can't."""
    email = f"{what.replace(' ', '.').replace(',', '')}@example.com"
    answer = portal.hr("onboarding", name=what, email=email, department="Engineering")
    waiting = "SELECT count(*) FROM outbox WHERE state = 'waiting' AND job = 'app.lifecycle.jobs.plan_case' AND last_error IS NULL"
    wait_until(lambda: portal.one(waiting) == 0)
    trouble = portal.rows(f"{TROUBLE} AND state = 'waiting'")
    print(
        f"{what}: a joiner is announced ({answer.status}); {trouble or 'tasks and notices made'}", flush=True
    )
    return int(bool(answer.status != 202 or trouble))


def revision(portal: Deployment) -> str:
    return str(portal.one("SELECT version_num FROM alembic_version"))


def unpack(commit: str, folder: Path) -> None:
    """The files of a commit; nothing is noted in the repository."""
    folder.mkdir()
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", commit], stdout=subprocess.PIPE, check=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


def before_newest_migration() -> str:
    """The commit before the one that brought the newest file of migrations/versions."""
    newest = max((ROOT / "migrations" / "versions").glob("0*.py"))
    came = git("log", "--diff-filter=A", "--format=%H", "-1", "--", str(newest.relative_to(ROOT)))
    assert came, f"{newest.name} is not committed yet: name the older version with --commit"
    return git("rev-parse", f"{came}^")


def git(*words: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
