"""What a block of shell says: its simple commands, read as far as documentation needs it."""

import re
import shlex
from collections.abc import Iterator

_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?([^\n]*)\n.*?^\s*\1$", re.MULTILINE | re.DOTALL)
_SUBSTITUTED = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT = re.compile(r"^\w+=")
_PUNCTUATION = "();<>|&\n"
_OPENING = {"do", "then", "else", "if", "elif", "while", "until", "!", "{", "exec", "time", "command"}
_CLOSING = {"done", "fi", "}", "esac"}
# sudo's options that have a value.
_SUDO_VALUES = {"-u", "-g"}


def commands(text: str) -> Iterator[list[str]]:
    """The words of each simple command, those of substitutions too; redirections and assignments are left out."""
    text = _HEREDOC.sub(r"\2", text).replace("\\\n", " ")
    for inner in _SUBSTITUTED.findall(text):
        yield from commands(inner)
    words: list[str] = []
    tokens = iter(_tokens(text))
    for token in tokens:
        if token and set(token) <= set("<>&") and set(token) & set("<>"):
            next(tokens, None)
        elif set(token) <= set(_PUNCTUATION):
            yield from _command(words)
            words = []
        else:
            words.append(token)
    yield from _command(words)


def _tokens(text: str) -> list[str]:
    reader = shlex.shlex(text, posix=True, punctuation_chars=_PUNCTUATION)
    reader.whitespace = " \t"
    reader.whitespace_split = True
    reader.commenters = ""
    return list(reader)


def _command(words: list[str]) -> Iterator[list[str]]:
    """The words from the program on: without keywords, assignments, `sudo` and `env`."""
    words = list(words)
    while words and (words[0] in _OPENING or _ASSIGNMENT.match(words[0]) or words[0] in {"sudo", "env"}):
        if words.pop(0) == "sudo":
            while words and words[0].startswith("-"):
                del words[: 2 if words[0] in _SUDO_VALUES else 1]
    if words and words[0] not in _CLOSING | {"for", "case"} and not words[0].isdigit():
        yield words


def without_comments(text: str) -> str:
    """Comments hold apostrophes; a `#` that begins a word outside of quotes begins one."""
    kept, quote = [], ""
    for line in text.splitlines():
        end = len(line)
        for place, letter in enumerate(line):
            if letter == quote:
                quote = ""
            elif not quote and letter in "'\"":
                quote = letter
            elif not quote and letter == "#" and (place == 0 or line[place - 1] in " \t;("):
                end = place
                break
        kept.append(line[:end])
    return "\n".join(kept) + "\n"
