"""Events as lines, and where the lines go. What somebody else wrote can neither begin a line nor colour a terminal."""

import json
import os
import re
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import orjson

Event = MutableMapping[str, Any]

# Control characters of C0 and C1, separators of lines and paragraphs, marks that turn the direction of text, and halves
# of surrogate pairs.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# The same in UTF-8, as far as JSON leaves them as they are.
_UNFIT_JSON = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]")
_PLAIN = re.compile(r"[^\s\"'=\\]+")


class Lines:
    """A file descriptor that takes whole lines; one write each, so that processes may share it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def msg(self, line: bytes) -> None:
        """Write a line. If nobody reads any more, that is no fault of whoever logs."""
        left = line + b"\n"
        with suppress(OSError):
            while left:
                left = left[os.write(self.descriptor, left) :]

    debug = info = warning = error = critical = exception = log = msg


STDERR = Lines(2)


def as_json(_logger: Any, _method: str, event: Event) -> bytes:
    """A JSON object on one line: when, how bad, what, then everything else."""
    whole = {"timestamp": event.pop("timestamp"), "level": event.pop("level"), "event": event.pop("event")}
    whole.update(event)
    try:
        line = orjson.dumps(whole, default=str)
    except TypeError:
        # What orjson is too strict for: halves of surrogate pairs, integers of more than 64 bits.
        line = json.dumps(whole, default=str).encode()
    return _UNFIT_JSON.sub(lambda found: b"\\u%04x" % ord(found[0].decode()), line)


def as_text(_logger: Any, _method: str, event: Event) -> bytes:
    """A line for people; the lines of a traceback follow, indented, so that none of them looks like one of ours."""
    when, level = str(event.pop("timestamp"))[11:19], str(event.pop("level"))
    what, origin = escaped(str(event.pop("event"))), event.pop("logger", None)
    trace = [str(event.pop(name)) for name in ("exception", "stack") if name in event]
    words = [when, f"{level:<8}", *([f"{escaped(str(origin))}:"] if origin else []), what]
    words += [f"{escaped(str(name))}={_shown(value)}" for name, value in event.items() if value is not None]
    lines = [" ".join(words), *(f"    {escaped(line)}" for text in trace for line in text.splitlines())]
    return "\n".join(lines).encode("utf-8", "backslashreplace")


def escaped(text: str) -> str:
    """The text with backslash escapes for what must not reach a terminal or a file of lines."""
    return _UNFIT.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _shown(value: Any) -> str:
    text = escaped(str(value))
    if _PLAIN.fullmatch(text):
        return text
    return '"' + text.replace('"', '\\"') + '"'
