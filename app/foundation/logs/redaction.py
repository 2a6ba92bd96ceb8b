"""Secrets are taken out of what is logged or reported: by the name they go by, and by what they look like."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from app.foundation.logs.lines import Event

HIDDEN = "(hidden)"

_NAMES = (
    r"pass(?:word|wd|phrase|code)|secret|token|api[_-]?key|authorization|cookie|credential|signature|private[_-]?key"
    r"|dsn|csrf|session[_-]?id"
)
_SECRET_NAME = re.compile(rf"{_NAMES}|^sid$", re.IGNORECASE)
_IN_TEXT = (
    # An address with a name and a password in it.
    (re.compile(r"(://)[^/\s@'\"]+@"), rf"\1{HIDDEN}@"),
    # Headers: Authorization: Bearer ..., and whatever else is sent that way.
    (re.compile(r"\b(Bearer|Basic|Digest)(\s+)[^\s,;'\"]+", re.IGNORECASE), rf"\1\2{HIDDEN}"),
    # name=value and "name": "value", as in addresses, headers, printed dicts and error messages. What stands before the name
    # stays as it is: asked for too, a long word would be read again from each of its letters. Nor is a step taken back.
    (
        re.compile(
            rf"((?:{_NAMES})[\w-]*+['\"]?\s*+[=:]\s*+)(?!\s|Bearer|Basic|Digest|\(hidden)"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s&,;)}\]'\"]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # PostgreSQL quotes the statement, values included, or the row that it refused.
    (re.compile(r"(LINE \d+: |Failing row contains )[^\n]*"), rf"\1{HIDDEN}"),
    # Tokens that are known by their looks: JSON Web Tokens, personal tokens, the secrets of webhooks.
    (
        re.compile(r"\beyJ[\w-]{5,}+\.[\w-]+(?:\.[\w-]*)?|\bpo_[\w-]{16,}|\bwhsec_[\w+/=-]+"),
        HIDDEN,
    ),
)
# What looks made by a machine in an address that leads nowhere, such as one that lost its last letter.
_MACHINE_MADE = re.compile(r"[\w~.%+-]{20,}")
# Seldom more than this has to be asked.
_SUSPICIOUS = re.compile(r"[\w~.%+-]{20}|[=:@]")
_paths: list[re.Pattern[str]] = []


def hide_paths(rules: Iterable[str]) -> None:
    """Hide what stands in these rules' secret places wherever their addresses are named, such as /invitation/<token>."""
    parts = sorted({re.escape(rule.partition("<")[0]) for rule in rules if is_secret_rule(rule)})
    _paths[:] = [re.compile(rf"({'|'.join(parts)})[^\s/?#'\"<>]+")] if parts else []


@lru_cache(maxsize=4096)
def is_secret_rule(rule: str) -> bool:
    """Whether part of an address of this route is a secret."""
    return any(is_secret_name(name) for name in re.findall(r"<(?:[^:<>]*:)?(\w+)>", rule))


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is nobody's business."""
    return bool(_SECRET_NAME.search(name))


def without_secrets(text: str) -> str:
    """The text with what looks like a secret hidden."""
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    for pattern in _paths:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text


def stray_path(path: str) -> str:
    """An address with anything in it, as it may be logged."""
    if not _SUSPICIOUS.search(path):
        return path[:200]
    return _MACHINE_MADE.sub(HIDDEN, without_secrets(path))[:200]


def cleaned(value: Any, name: str = "") -> Any:
    """A value, and all within it, without secrets; `name` is what it goes by."""
    if name and value is not None and is_secret_name(name):
        return HIDDEN
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, dict):
        return {key: cleaned(one, key if isinstance(key, str) else "") for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(one) for one in value]
    return value


def hide_secrets(_logger: Any, _method: str, event: Event) -> Event:
    """The step of structlog that does it."""
    return {name: cleaned(value, name) for name, value in event.items()}
