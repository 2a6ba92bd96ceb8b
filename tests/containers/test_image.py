"""What the Dockerfile promises. drills/clean_root.py performs it."""

import shutil
import subprocess
from pathlib import Path

from drills import dockerfile
from tests.architecture.sources import ROOT

STAGES = dockerfile.stages(ROOT / "Dockerfile")
BASE, BUILD, IMAGE = STAGES


def test_linter_has_nothing_to_say():
    linter = Path(shutil.which("hadolint", path=f"{ROOT}/.venv/bin") or shutil.which("hadolint"))
    done = subprocess.run([linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_base_is_one_version_and_with_a_digest_the_same_bytes():
    assert BASE.base == "python:3.12-slim-bookworm"
    given = dockerfile.stages(ROOT / "Dockerfile", {"PYTHON_DIGEST": "sha256:0123"})
    assert given[0].base == "python:3.12-slim-bookworm@sha256:0123"
    assert (BUILD.base, IMAGE.base) == ("base", "base")


def test_image_is_an_ordinary_user_that_hears_sigterm():
    assert IMAGE.last("USER").rest == "10001:10001"
    assert IMAGE.last("STOPSIGNAL").rest == "SIGTERM"
    assert IMAGE.last("VOLUME").rest == "/data"
    assert IMAGE.environment().keys() >= {"PYTHONDONTWRITEBYTECODE", "DATA_DIR", "ENVIRONMENT"}


def test_health_is_asked_without_other_programs():
    assert IMAGE.healthcheck() == ["python", "-m", "app.healthcheck", "web"]


def test_nothing_is_fetched_in_the_image_itself():
    """What is installed comes by hash, in the stage that is left behind."""
    for one in IMAGE.instructions:
        assert not (
            one.word == "RUN" and any(word in one.rest for word in ("apt-get", "pip install", "curl", "wget"))
        )
    [install] = [one.rest for one in BUILD.instructions if one.word == "RUN" and " install " in one.rest]
    assert "--require-hashes" in install
    assert "--only-binary :all:" in install


def test_image_is_told_who_it_is():
    labels = IMAGE.last("LABEL").rest
    for name in ("title", "description", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in labels


def test_only_what_runs_is_copied():
    files = [path.as_posix() for path in dockerfile.context(ROOT)]
    assert {path.split("/")[0] for path in files} == {
        "app",
        "config.py",
        "deploy",
        "migrations",
        "requirements.txt",
    }
    assert [path for path in files if path.startswith("deploy/")] == ["deploy/gunicorn.conf.py"]
    assert not [path for path in files if "__pycache__" in path or path.endswith(".pyc")]
    assert "app/static/portal/portal.css" in files or any(path.startswith("app/static/") for path in files)


def test_last_pattern_that_fits_decides():
    patterns = ["*", "!app", "!deploy", "deploy/*", "!deploy/gunicorn.conf.py", "**/__pycache__"]
    kept = {
        name
        for name in (
            "secrets/secret_key", ".env", "data/lock", "app/cli.py", "app/inbox/__pycache__/x.pyc",
            "deploy/Caddyfile", "deploy/gunicorn.conf.py", "applications/x",
        )
        if not dockerfile.ignored(name, patterns)
    }  # fmt: skip
    assert kept == {"app/cli.py", "deploy/gunicorn.conf.py"}
