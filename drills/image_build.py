"""Performs our Dockerfile without an engine: each stage on a layer of its own, each instruction as Docker would."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from drills import dockerfile
from drills.dockerfile import Instruction, Stage
from drills.rooted import Root

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
REPOSITORY = Path(__file__).resolve().parents[1]
# What says something about the result, and does nothing to it.
_ABOUT = {"ARG", "LABEL", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "CMD"}


def base(folder: Path, mirror: str) -> None:
    """A Debian that looks as the base image does: Python, and a pip in /usr/local.

    `folder` may be one made earlier. The Python is Debian's, a version older than the image's.
    """
    if (folder / "usr/local/bin/pip").exists():
        return
    subprocess.run(
        ["debootstrap", "--variant=minbase", "bookworm", folder, mirror],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    script = """
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends ca-certificates netbase tzdata python3 python3-venv
        rm -rf /var/lib/apt/lists/* /var/cache/apt/archives/*.deb
        python3 -m venv /usr/local
    """
    subprocess.run(["chroot", folder, "sh", "-ec", script], check=True, stdout=subprocess.DEVNULL)


def lend(root: Root, pip: Mapping[str, str]) -> None:
    """Let a root look names up, and see the files that pip's settings speak of."""
    shutil.copy("/etc/resolv.conf", root.path / "etc/resolv.conf")
    for word in " ".join(pip.values()).split():
        path = Path(word.removeprefix("file://"))
        if path.is_file():
            root.show(path, str(path))
        elif path.is_dir() and path.is_absolute():
            # What an index on the disk links to lies beside it.
            root.show(path.parent, str(path.parent))


class Build:
    """Performs stages and counts what was done. `pip` are the settings of this machine's pip, for the build alone."""

    def __init__(self, work: Path, below: Path, pip: Mapping[str, str]) -> None:
        self.work, self.below, self.pip = work, below, pip
        self.roots: dict[str, Root] = {}
        self.done = 0

    def perform(self) -> tuple[Root, Stage]:
        """Every stage of the Dockerfile. Returns the last: the image."""
        for number, stage in enumerate(dockerfile.stages(REPOSITORY / "Dockerfile")):
            root = Root(self.work, stage.name or f"stage{number}", self.below)
            self.roots[stage.name] = root
            is_last = not stage.name
            if not is_last:
                lend(root, self.pip)
            self._perform(stage, root, {} if is_last else self.pip)
        return root, stage

    def _perform(self, stage: Stage, root: Root, lent: Mapping[str, str]) -> None:
        env, cwd = {"PATH": PATH, "HOME": "/root"}, "/"
        for one in stage.instructions:
            print(f"  {one.word} {' '.join(one.rest.split())[:110]}", flush=True)
            if one.word == "RUN":
                root.run(one.rest, {**lent, **env}, cwd)
            elif one.word == "WORKDIR":
                cwd = one.rest
                (root.path / cwd.lstrip("/")).mkdir(parents=True, exist_ok=True)
            elif one.word == "COPY":
                self._copy(one, root, cwd)
            elif one.word == "ENV":
                env |= environment(Stage("", "", [one]))
            elif one.word not in _ABOUT:
                raise ValueError(f"{one.word} is not performed here")
            self.done += 1

    def _copy(self, one: Instruction, root: Root, cwd: str) -> None:
        *options, source, target = one.words
        place = root.path / str(Path(cwd, target)).lstrip("/")
        if options:
            other = self.roots[options[0].removeprefix("--from=")]
            subprocess.run(["cp", "-a", f"{other.path}{source}", place], check=True)
            return
        for path in dockerfile.context(REPOSITORY):
            if source in {".", str(path)}:
                copied = place / path
                copied.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(REPOSITORY / path, copied)
                os.chown(copied, 0, 0)


def environment(stage: Stage) -> dict[str, str]:
    """What ENV says, with the path that it prolongs filled in."""
    return {name: value.replace("$PATH", PATH) for name, value in stage.environment().items()}
