"""Reads our Dockerfile: its stages and their instructions, and which files `COPY . .` would take.

As much of the language as that file uses, and an error for the rest, so that what is proved is what stands there.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {
    "ARG", "CMD", "COPY", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str

    @property
    def words(self) -> list[str]:
        """The arguments, whether they are written as JSON or as a line."""
        return json.loads(self.rest) if self.rest.startswith("[") else shlex.split(self.rest)


@dataclass
class Stage:
    """`base` is an earlier stage's name or an image."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, word: str) -> Instruction:
        return [one for one in self.instructions if one.word == word][-1]

    def environment(self) -> dict[str, str]:
        pairs = [pair for one in self.instructions if one.word == "ENV" for pair in one.words]
        return dict(pair.split("=", 1) for pair in pairs)

    def healthcheck(self) -> list[str]:
        options, _, command = self.last("HEALTHCHECK").rest.partition("CMD")
        del options
        return json.loads(command)


def instructions(path: Path) -> Iterator[Instruction]:
    """Each instruction with its continued lines joined; comments left out, wherever they stand."""
    lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    ]
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines():
        if line.strip():
            word, rest = line.strip().split(None, 1)
            if word not in KNOWN:
                raise ValueError(f"{path.name}: {word} is not an instruction that is known here")
            yield Instruction(word, rest)


def stages(path: Path, arguments: Mapping[str, str] | None = None) -> list[Stage]:
    """The stages in their order; `arguments` are those of `--build-arg`."""
    values: dict[str, str] = {}
    found: list[Stage] = []
    for one in instructions(path):
        if one.word == "ARG" and not found:
            name, _, default = one.rest.partition("=")
            values[name] = (arguments or {}).get(name, default)
        elif one.word == "FROM":
            image, *named = one.rest.split()
            found.append(Stage(named[1] if named else "", _expanded(image, values)))
        else:
            found[-1].instructions.append(one)
    return found


def _expanded(text: str, values: Mapping[str, str]) -> str:
    def conditional(match: re.Match[str]) -> str:
        return match[2] if values[match[1]] else ""

    text = re.sub(r"\$\{(\w+):\+([^}]*)\}", conditional, text)
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values[match[1]], text)


def context(root: Path) -> list[Path]:
    """The files of the build context: those that .dockerignore lets through. The last pattern that matches decides."""
    lines = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return sorted(path.relative_to(root) for path in _walk(root, root, patterns))


def _walk(root: Path, folder: Path, patterns: list[str]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(root).as_posix()
        if path.is_dir() and not path.is_symlink():
            inside = any(pattern.startswith((f"!{name}/", f"!{name}")) for pattern in patterns)
            if inside or not ignored(name, patterns):
                yield from _walk(root, path, patterns)
        elif not ignored(name, patterns):
            yield path


def ignored(name: str, patterns: list[str]) -> bool:
    """Whether a path of the context stays out: a pattern that fits one of its folders fits it too."""
    parts = name.split("/")
    paths = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    verdict = False
    for pattern in patterns:
        if any(re.fullmatch(_regex(pattern.removeprefix("!")), path) for path in paths):
            verdict = not pattern.startswith("!")
    return verdict


def _regex(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*\*/", "(.*/)?").replace(r"\*", "[^/]*")
