"""The image proved without an engine: the Dockerfile performed in a clean Debian, and its processes run as Compose would.

A Debian is made by debootstrap from this machine's own package source; each instruction of the Dockerfile is performed in
it; then setup, web, workers and scheduler run from docker-compose.yml's commands and settings, with secrets made by
deploy/make-secrets.sh, as user 10001 with no capability, on a root that can't be written, in a network of their own.
PostgreSQL and Redis run beside them. HR announces somebody, the administrator signs in and finds the task.

    sudo .venv/bin/python -m drills.clean_root

`--base FOLDER` keeps the clean Debian there for the next time. Linux, root, debootstrap; a minute or two.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from drills import image_build
from drills.container_run import Containers
from drills.image_build import REPOSITORY, Build
from drills.rooted import leave_network, size_of

Row = tuple[str, str]


def main() -> int:
    """What is mounted ends with the process that does it; what lies in the folder is thrown away when nothing is."""
    parser = argparse.ArgumentParser(prog="python -m drills.clean_root", description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, help="where the clean Debian is, or is to be kept")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("only root may make a root")
    if given.inside:
        return show(prove(given.inside, given.base or given.inside / "base"))
    with tempfile.TemporaryDirectory(prefix="portalops-root-") as folder:
        again = [sys.executable, "-m", "drills.clean_root", *sys.argv[1:], "--inside", folder]
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", *again], check=False
        ).returncode


def show(rows: list[Row]) -> int:
    width = max(len(what) for what, _ in rows)
    print("\n" + "\n".join(f"{what:{width}}  {seen}" for what, seen in rows))
    return 0


def prove(work: Path, below: Path) -> list[Row]:
    """Every row of the table; the first thing that is not so ends the drill with an error."""
    begun = time.monotonic()
    image_build.base(below, mirror())
    print("Performing the Dockerfile")
    built = time.monotonic()
    build = Build(work, below, pip_settings())
    root, stage = build.perform()
    rows = [
        ("clean Debian", f"{size_of(below) / 1e6:.0f} MB, {built - begun:.0f} s"),
        ("Dockerfile", f"{build.done} instructions in {time.monotonic() - built:.0f} s"),
        ("what the image adds", f"{size_of(root.layer) / 1e6:.0f} MB"),
    ]
    leave_network()
    with Containers(work, root, stage) as containers:
        try:
            return rows + containers.prove()
        except BaseException:
            containers.report()
            raise


def mirror() -> str:
    """Where this machine's own packages come from."""
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").iterdir())]:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        found = re.search(r"^(?:deb(?: \[[^]]*\])? |URIs: *)(\S+)", text, re.MULTILINE)
        if found:
            return found[1]
    raise LookupError("no package source in /etc/apt")


def pip_settings() -> dict[str, str]:
    """What this machine's pip is told by files and by its environment, as variables."""
    said = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    found = re.findall(r"^(?:global|install)\.([\w-]+)='(.*)'$", said, re.MULTILINE)
    settings = {f"PIP_{name.replace('-', '_').upper()}": value.replace("\\n", " ") for name, value in found}
    return settings | {name: value for name, value in os.environ.items() if name.startswith("PIP_")}


if __name__ == "__main__":
    assert Path.cwd() == REPOSITORY, "start it in the repository"
    sys.exit(main())
