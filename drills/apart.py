"""How a drill runs apart from the machine it runs on: as root, in mounts of its own that end with it, in a folder for a while."""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Row = tuple[str, str]


def run(module: str, does: str, prove: Callable[[Path, Path], list[Row]]) -> int:
    """`prove` gets a folder to work in and one for a clean Debian (`--base` keeps it); its rows are printed as a table."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=does)
    parser.add_argument("--base", type=Path, help="where the clean Debian is, or is to be kept")
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("only root may make a root")
    if given.inside:
        return show(prove(given.inside, given.base or given.inside / "base"))
    with tempfile.TemporaryDirectory(prefix="portalops-root-") as folder:
        again = [sys.executable, "-m", module, *sys.argv[1:], "--inside", folder]
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", *again], check=False
        ).returncode


def show(rows: list[Row]) -> int:
    width = max(len(what) for what, _ in rows)
    print("\n" + "\n".join(f"{what:{width}}  {seen}" for what, seen in rows))
    return 0


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
