"""The fenced blocks of the documentation, each with the mark that stands above it.

<!-- run -->                        the block is run against a started portal with the demo company
<!-- proof: tests/a/test_b.py::test_c -->   that test, drill or benchmark runs it; several with commas
<!-- answer -->                     JSON of the shape that the block above it answered
<!-- output -->                     lines that the block above it wrote; an ellipsis stands for anything
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.architecture.sources import ROOT

RUN = {"run", "refused"}
SHELLS = {"sh", "bash", "shell", "console"}
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>.*)$")
_MARK = re.compile(r"<!-- (?P<kind>run|proof|refused|answer|output)(?:: (?P<rest>.+?))? -->")


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, what it is written in, what is said about it, and what is in it."""

    page: str
    line: int
    language: str
    kind: str
    rest: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def proofs(self) -> list[str]:
        return [target.strip() for target in self.rest.split(",")] if self.kind == "proof" else []


def pages() -> list[Path]:
    """README.md and its siblings, and every page of the site that lies in the folder."""
    beside = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
    return [*beside, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: str, text: str) -> list[Block]:
    """Every fenced block of a page, in order."""
    reader = _Reader(page)
    for number, line in enumerate(text.splitlines(), start=1):
        reader.read(number, line)
    assert not reader.fence, f"{page}: a block is not closed"
    return reader.found


def every_block() -> list[Block]:
    """Those of all pages."""
    return [
        block
        for path in pages()
        for block in blocks_of(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8"))
    ]


@dataclass
class _Reader:
    page: str
    found: list[Block] = field(default_factory=list)
    fence: str = ""
    indent: int = 0
    opened: tuple[int, str] = (0, "")
    lines: list[str] = field(default_factory=list)
    above: str = ""

    def read(self, number: int, line: str) -> None:
        if self.fence:
            self._inside(line)
        elif match := _FENCE.match(line):
            self.fence, self.indent = match["fence"], len(match["indent"])
            self.opened, self.lines = (number, match["info"].strip()), []
        elif line.strip():
            self.above = line.strip()

    def _inside(self, line: str) -> None:
        if line.strip() != self.fence:
            self.lines.append(line[self.indent :])
            return
        mark = _MARK.fullmatch(self.above)
        number, language = self.opened
        kind, rest = (mark["kind"], mark["rest"] or "") if mark else ("", "")
        text = "".join(f"{each}\n" for each in self.lines)
        self.found.append(Block(self.page, number, language, kind, rest, text))
        self.fence = self.above = ""
