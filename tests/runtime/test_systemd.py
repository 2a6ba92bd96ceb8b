"""The systemd units: systemd can read them, they give little away, and what they start exists.

`systemd-analyze` wants the programs where the units expect them, so the units are judged with the paths of this checkout.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

from config import SECRETS, Settings
from tests.architecture.sources import ROOT

UNITS = ROOT / "deploy" / "systemd"
COMMON = (UNITS / "portalops-.service.d" / "common.conf").read_text()
SERVICES = ("portalops-setup", "portalops-web", "portalops-worker@", "portalops-scheduler")
# Of 100 that systemd counts; the network is what remains. A service without any hardening has 96.
MOST_EXPOSED = 20
THERE = "/opt/portalops/current"


@pytest.fixture(scope="module")
def units(tmp_path_factory) -> Path:
    """A copy in which the release is this checkout, and its Python the one that runs."""
    folder = tmp_path_factory.mktemp("units")
    shutil.copytree(UNITS, folder, dirs_exist_ok=True)
    for path in folder.rglob("*"):
        if path.is_file():
            text = path.read_text().replace(f"{THERE}/.venv/bin/python", sys.executable)
            path.write_text(text.replace(THERE, str(ROOT)))
    return folder


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def test_systemd_has_nothing_to_say_about_them(units):
    files = [str(path) for path in sorted(units.iterdir()) if path.is_file()]
    files = [path.replace("worker@.", "worker@default.") for path in files]
    done = analyze("verify", "--man=no", *files)
    ours = [line for line in done.stderr.splitlines() if "portalops" in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("service", SERVICES)
def test_service_gives_little_away(units, service):
    path = str(units / f"{service.replace('@', '@default')}.service")
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", path)
    assert done.returncode == 0, done.stdout + done.stderr


def commands() -> list[list[str]]:
    """The words of every program that a unit starts, without the shell around one of them."""
    units = "\n".join(path.read_text() for path in sorted(UNITS.glob("*.service")))
    lines = re.findall(r"^Exec\w+=(.*)$", units, re.MULTILINE)
    return [line.removeprefix("/bin/sh -c 'exec ").split() for line in lines]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_command_exists(one_app: Flask, words):
    assert words[0] == f"{THERE}/.venv/bin/python"
    if words[1:5] == ["-m", "flask", "--app", "app"]:
        command = one_app.cli.commands[words[5]]
        assert {word for word in words[6:] if word.startswith("--")} <= {
            option for parameter in command.params for option in parameter.opts
        }
    else:
        script = ROOT / Path(words[1]).relative_to(THERE)
        done = subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, check=True)
        assert words[2] in done.stdout


@pytest.mark.parametrize(
    ("instance", "queue"), [("default", "default"), ("default.2", "default"), ("messages", "messages")]
)
def test_instance_of_a_worker_names_its_queue(instance, queue):
    """As systemd unescapes the line and the shell reads it."""
    [line] = re.findall(
        r"^ExecStart=/bin/sh -c '(.*)' %i$", (UNITS / "portalops-worker@.service").read_text(), re.MULTILINE
    )
    script = re.sub(r"^exec \S+", "echo", line.replace("$$", "$").replace("%%", "%"))
    done = subprocess.run(["sh", "-c", script, instance], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-2:] == ["--queue", queue]


def test_settings_and_secrets_are_known():
    named = {
        name
        for line in re.findall(r"^Environment=(.*)$", COMMON, re.MULTILINE)
        for name in re.findall(r"(\w+)=", line)
    }
    known = {name.upper() for name in Settings.model_fields} | {f"{name.upper()}_FILE" for name in SECRETS}
    assert named - known == {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    given = set(re.findall(r"^LoadCredential=(\w+):", COMMON, re.MULTILINE))
    assert given == {name.removesuffix("_FILE").lower() for name in named if name.endswith("_FILE")}
