"""start.sh: it makes an environment once, whole, and says what to install where it can't."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.runtime.processes import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What start.sh needs, with nothing to install and a run.py that shows what it got."""
    folder = tmp_path / "a clone"
    (folder / "deploy").mkdir(parents=True)
    shutil.copy(ROOT / "start.sh", folder)
    shutil.copy(ROOT / "deploy" / "environment.sh", folder / "deploy")
    (folder / "requirements.txt").touch()
    (folder / "run.py").write_text("import os, sys; print(os.getpid(), sys.prefix, *sys.argv[1:])\n")
    return folder


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH with the shell's own tools and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "cat", "cksum", "dirname", "id", "rm", "touch"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    (folder / "apt-get").symlink_to("/bin/true")
    return folder


def run(clone: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = ["./start.sh", *words]
    return subprocess.run(
        command, cwd=clone, env=os.environ | env, capture_output=True, text=True, check=False
    )


def script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_the_environment_is_made_once_and_run_py_takes_over(clone: Path) -> None:
    first = run(clone, "--demo")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines()[-1].endswith(f"{clone / '.venv'} --demo")
    process = subprocess.Popen(["./start.sh"], cwd=clone, stdout=subprocess.PIPE, text=True)
    output = process.communicate()[0].splitlines()
    assert len(output) == 1, "a second start installs nothing"
    assert output[0].split()[0] == str(process.pid), "signals must arrive at run.py"


def test_a_half_made_environment_is_made_again(clone: Path) -> None:
    (clone / ".venv" / "bin").mkdir(parents=True)
    script(clone / ".venv" / "bin" / "python", "exit 1")
    done = run(clone)
    assert done.returncode == 0, done.stderr


def test_without_python_the_command_that_installs_it_is_printed(clone: Path, bare_path: Path) -> None:
    done = run(clone, PATH=str(bare_path))
    assert done.returncode == 1
    assert "apt-get install -y python3 python3-venv" in done.stderr


def test_without_venv_the_command_that_installs_it_is_printed(clone: Path, bare_path: Path) -> None:
    answers = 'case "$2" in *ensurepip*) exit 1;; *print*) echo 3.11;; esac'
    script(bare_path / "python3", answers)
    done = run(clone, PATH=str(bare_path))
    assert done.returncode == 1
    assert "apt-get install -y python3.11-venv" in done.stderr
    assert not (clone / ".venv").exists()
