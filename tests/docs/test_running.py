"""The commands of the documentation, run as they stand there against a portal that `run.py --demo` started.

Each page is one sitting: its blocks run in order in one shell, in a copy of the repository. Only the port is another one.
An answer of 400 or more fails a `curl`.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from app.foundation.embedded.processes import bound_to_parent
from tests.architecture.sources import ROOT
from tests.docs.blocks import RUN, SHELLS, Block, every_block
from tests.runtime.processes import Started

DOCUMENTED = "http://127.0.0.1:8000"
LEFT_BEHIND = shutil.ignore_patterns(".git", ".venv*", "data", "site", ".*_cache", "node_modules")
PRELUDE = (
    'set -euo pipefail\ncurl() { command curl --silent --show-error --fail-with-body --max-time 30 "$@"; }\n'
)


@dataclass(frozen=True)
class Place:
    """A copy of the repository with a portal running in it."""

    folder: Path
    address: str

    def sit_down(self, blocks: list[Block]) -> list[str]:
        """Run the blocks of one page; what is wrong, if anything."""
        notes = self.folder / ".sitting"
        shutil.rmtree(notes, ignore_errors=True)
        notes.mkdir()
        script = PRELUDE
        for number, block in enumerate(blocks):
            if block.kind in RUN:
                text = f"{{\n{block.text.replace(DOCUMENTED, self.address)}}} > .sitting/{number}\n"
                text = text if block.kind == "run" else f"if {text}then echo not refused >&2; exit 1; fi\n"
                script += f"echo {number} > .sitting/at\n{text}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            at = int((notes / "at").read_text())
            return [f"{blocks[at].name}: {done.stderr[-800:]}{(notes / str(at)).read_text()[-800:]}"]
        return [fault for block, said in self._told(blocks, notes) if (fault := differs(block, said))]

    @staticmethod
    def _told(blocks: list[Block], notes: Path) -> Iterator[tuple[Block, str]]:
        """Each block that says what came, with what the run above it wrote."""
        said = ""
        for number, block in enumerate(blocks):
            if block.kind in RUN:
                said = (notes / str(number)).read_text()
            elif block.kind in {"answer", "output"}:
                yield block, said

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        return kept | {
            "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "PORT": self.address.rpartition(":")[2],
        }


def differs(block: Block, said: str) -> str:
    """What is told otherwise than it was; nothing if it is as the page has it."""
    if block.kind == "answer":
        fault = unlike(json.loads(block.text), json.loads(said[said.index(block.text[0]) :]))
        return f"{block.name}: {fault}" if fault else ""
    for line in block.text.splitlines():
        pattern = ".*".join(map(re.escape, re.split(r"…|\.\.\.", line.strip())))
        if not re.search(pattern, said):
            return f"{block.name}: {line!r} is not in {said[-800:]!r}"
    return ""


def unlike(told: Any, got: Any, at: str = "answer") -> str:
    """How an answer's shape differs from the told one: keys that are missing, values of another type."""
    if told is None or got is None:
        return ""
    if type(told) is not type(got):
        return f"{at} is {got!r}"
    if isinstance(told, dict):
        missing = told.keys() - got.keys()
        inner = [unlike(told[key], got[key], f"{at}.{key}") for key in told if key in got]
        return f"{at} has no {missing}" if missing else "; ".join(filter(None, inner))
    if isinstance(told, list) and told:
        return unlike(told[0], got[0], f"{at}[0]") if got else f"{at} is empty"
    return ""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    folder = tmp_path / "portalops"
    shutil.copytree(ROOT, folder, ignore=LEFT_BEHIND)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    env = kept | {"PORT": port, "DATA_DIR": str(folder / "data")}
    process = Started(
        bound_to_parent([sys.executable, "run.py", "--demo"]), env, tmp_path / "portal.log", folder
    )
    try:
        process.wait_for("PortalOps is ready", timeout=180)
        yield Place(folder, f"http://127.0.0.1:{port}")
    finally:
        process.signal(signal.SIGTERM)
        process.end()


@pytest.mark.runtime
def test_commands_do_what_the_pages_say(place: Place) -> None:
    interesting = [
        block for block in every_block() if block.language in SHELLS or block.kind in {"answer", "output"}
    ]
    faults = []
    for _page, blocks in groupby(interesting, key=lambda block: block.page):
        sitting = list(blocks)
        if any(block.kind in RUN for block in sitting):
            faults += place.sit_down(sitting)
    assert faults == [], "\n".join(faults)


def test_an_answer_of_another_shape_is_noticed() -> None:
    told = {"id": "1", "list": [{"a": 1}]}
    assert unlike(told, {"id": "2", "list": [{"a": 5, "b": 0}], "more": None}) == ""
    assert unlike(told, {"id": "2", "list": [{}]}) == "answer.list[0] has no {'a'}"
    assert unlike(told, {"id": 2, "list": []}) == "answer.id is 2; answer.list is empty"


def test_output_that_did_not_come_is_noticed() -> None:
    block = Block("page", 1, "text", "output", "", "7 entries, every link holds; head …\n")
    assert differs(block, "7 entries, every link holds; head abc\n") == ""
    assert "is not in" in differs(block, "8 entries\n")
