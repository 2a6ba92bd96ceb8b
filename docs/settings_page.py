"""The page of every setting: names and defaults as `config.py` has them, in the groups and words of `env.example`."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from config import SECRETS, Settings

EXAMPLE = Path(__file__).resolve().parents[1] / "env.example"
HEAD = """# Settings

PortalOps reads its settings from the environment, once, when a process starts. In development it also reads a file `.env`
beside `run.py`. A bad value stops the start, and one message names every bad variable.

An empty value counts as not set. The secrets may come from files instead: `SECRET_KEY_FILE=/run/secrets/secret_key`
names the file that holds `SECRET_KEY`. They are {secrets}.

In production (`ENVIRONMENT=production`) nothing is made up: {required} must be given.
This page is made of `config.py` and `env.example` when the site is built.
"""
REQUIRED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "JWT_SECRET_KEY",
    "HR_WEBHOOK_API_KEY",
    "PUBLIC_URL",
    "TRUSTED_HOSTS",
    "PROXY_COUNT",
)
_GROUP = re.compile(r"^# --- (?P<title>.*?) -+$")


def page() -> str:
    """Markdown: a table for each group of settings."""
    lines = [HEAD.format(secrets=_named(name.upper() for name in SECRETS), required=_named(REQUIRED))]
    for title, rows in groups():
        lines += [f"## {title}", "", "| variable | default | meaning |", "|---|---|---|"]
        lines += [f"| {_stacked(given)} | {_stacked(given.values())} | {text} |" for given, text in rows]
        lines.append("")
    return "\n".join(lines)


def groups() -> Iterator[tuple[str, list[tuple[dict[str, str], str]]]]:
    """(title, [(defaults by variable, meaning)]) as they follow each other in the example.

    A comment is about the variables below it, up to the next comment or group.
    """
    title, rows, comment = "Mode", [], []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines()[_preamble() :]:
        if group := _GROUP.match(line):
            yield title, rows
            title, rows, comment = group["title"], [], []
        elif line.startswith("#"):
            comment.append(line[1:].strip())
        elif line:
            if comment or not rows:
                rows.append(({}, " ".join(comment)))
                comment = []
            name, _, default = line.partition("=")
            rows[-1][0][name] = default
    yield title, rows


def _preamble() -> int:
    """How many lines stand before the first empty one: they are about the file itself."""
    return EXAMPLE.read_text(encoding="utf-8").splitlines().index("")


def undocumented() -> set[str]:
    """Fields of the settings that have no words on the page, and words about none."""
    explained = {name.lower() for _, rows in groups() for given, text in rows for name in given if text}
    return explained ^ set(Settings.model_fields)


def _stacked(words: Iterable[str]) -> str:
    return "<br>".join(f"`{word}`" if word else "" for word in words)


def _named(names: Iterable[str]) -> str:
    *most, last = [f"`{name}`" for name in names]
    return f"{', '.join(most)} and {last}"
