"""Reads our Compose files as `docker compose config` would: variables filled in, an override laid over the first."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def load(*paths: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """What the files say together. KeyError for a variable that must be set and is not."""
    merged: dict[str, Any] = {}
    for path in paths:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for service in content["services"].values():
            if "extends" in service:
                base = merged["services"][service.pop("extends")["service"]]
                service.update(_laid(base, service))
        merged = _laid(merged, content)
    return _filled(merged, variables)


def _laid(below: Any, above: Any) -> Any:
    """Mappings are joined; commands, health checks and the like are replaced."""
    if isinstance(below, dict) and isinstance(above, dict):
        both = {name: _laid(below[name], above[name]) for name in below.keys() & above.keys()}
        return below | above | both
    return above


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, variables) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, variables) for one in value]
    return fill(value, variables) if isinstance(value, str) else value


def fill(text: str, variables: Mapping[str, str]) -> str:
    """`${NAME}`, `${NAME:-otherwise}` and `${NAME:?message}`, one inside another too; `$$` is a dollar."""
    innermost = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^${}]*))?\}")

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if variables.get(name):
            return variables[name]
        if kind == "?":
            raise KeyError(f"{name}: {rest}")
        return rest or ""

    while innermost.search(text):
        # From the right: what stands inside comes before what it stands in.
        match = list(innermost.finditer(text))[-1]
        text = text[: match.start()] + value(match) + text[match.end() :]
    return text.replace("$$", "$")
