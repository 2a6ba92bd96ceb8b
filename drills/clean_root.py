"""The image proved without an engine: the Dockerfile performed in a clean Debian, and its processes run as Compose would.

A Debian is made by debootstrap from this machine's own package source; each instruction of the Dockerfile is performed in
it; then setup, web, workers and scheduler run from docker-compose.yml's commands and settings, with secrets made by
deploy/make-secrets.sh, as user 10001 with no capability, on a root that can't be written, in a network of their own.
PostgreSQL and Redis run beside them. HR announces somebody, the administrator signs in and finds the task.

    sudo .venv/bin/python -m drills.clean_root

`--base FOLDER` keeps the clean Debian there for the next time. Linux, root, debootstrap; a minute or two.
"""

import sys
import time
from pathlib import Path

from drills import apart, image_build
from drills.apart import Row
from drills.container_run import Containers
from drills.image_build import REPOSITORY, Build
from drills.rooted import leave_network, size_of


def prove(work: Path, below: Path) -> list[Row]:
    """Every row of the table; the first thing that is not so ends the drill with an error."""
    begun = time.monotonic()
    image_build.base(below, apart.mirror())
    print("Performing the Dockerfile")
    built = time.monotonic()
    build = Build(work, below, apart.pip_settings())
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


if __name__ == "__main__":
    assert Path.cwd() == REPOSITORY, "start it in the repository"
    sys.exit(apart.run("drills.clean_root", __doc__.splitlines()[0], prove))
