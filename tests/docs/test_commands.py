"""Every block of the documentation: commands are run or proven elsewhere, and everything is at least well formed."""

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
import yaml
from flask import Flask
from flask_migrate.cli import db as database_commands
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.architecture.sources import ROOT
from tests.docs.blocks import RUN, SHELLS, Block, blocks_of, every_block
from tests.docs.shell import commands, without_comments

BLOCKS = every_block()
COMMANDS = [block for block in BLOCKS if block.language in SHELLS]
# Programs of the machine that PortalOps is deployed on, which need not be where the tests run.
THERE = {
    "age",
    "apt",
    "apt-get",
    "caddy",
    "certbot",
    "createdb",
    "crontab",
    "curl",
    "docker",
    "dropdb",
    "git",
    "install",
    "journalctl",
    "kubectl",
    "nginx",
    "openssl",
    "pg_basebackup",
    "pg_ctl",
    "pg_dump",
    "pg_restore",
    "pg_verifybackup",
    "pgbouncer",
    "podman",
    "promtool",
    "psql",
    "redis-cli",
    "rsync",
    "ssh",
    "scp",
    "sudo",
    "systemctl",
    "systemd-analyze",
    "useradd",
    "chown",
    "wrk",
    "npx",
    "loginctl",
    "adduser",
    "wget",
    "systemd-creds",
    "systemd-tmpfiles",
}
BUILT_IN = {
    "cd",
    "export",
    "set",
    "umask",
    "source",
    ".",
    "echo",
    "test",
    "[",
    "trap",
    "wait",
    "read",
    "exit",
    "kill",
}
BASE = re.compile(
    r"^(?:https?://(?:127\.0\.0\.1:8000|localhost:8000|portal\.example\.com)|\$\{?PORTAL\}?)(/.*)?$"
)
WRITING = {"-d", "--data", "--json", "--data-raw", "--data-binary", "-F", "--form", "-T"}


def words_of(block: Block) -> list[list[str]]:
    return list(commands(without_comments(block.text)))


def test_every_block_says_what_it_is_written_in() -> None:
    assert [block.name for block in BLOCKS if not block.language] == []


def test_every_command_is_run_or_proven_elsewhere() -> None:
    bare = [block.name for block in COMMANDS if block.kind not in RUN | {"proof"}]
    assert bare == [], "write <!-- run --> or <!-- proof: tests/... --> above these; CONTRIBUTING.md says how"


def test_every_proof_exists() -> None:
    missing = [f"{block.name}: {proof}" for block in BLOCKS for proof in block.proofs if not exists(proof)]
    assert missing == []


def exists(proof: str) -> bool:
    """Whether a target is a program of the repository that proves things, or a test in it."""
    path, _, name = proof.partition("::")
    if path.split("/")[0] not in {"tests", "drills", "benchmarks", ".ci"} or not (ROOT / path).is_file():
        return False
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8")) if name else ast.Module([], [])
    return not name or name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.name)
def test_command_is_well_formed(block: Block, one_app: Flask) -> None:
    checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")
    for words in words_of(block):
        assert is_known(words[0]), f"no such program: {words[0]}"
        check_python(words)
        check_flask(one_app, words)
        check_addresses(one_app, words)


def is_known(program: str) -> bool:
    """A program of the repository, of its environment, of the shell, of this machine or of a server."""
    tail = program.rpartition("venv/bin/")[2]
    if "/" in tail:
        return program.startswith("/") or (ROOT / program).is_file()
    return (
        tail in BUILT_IN | THERE or (ROOT / ".venv" / "bin" / tail).exists() or shutil.which(tail) is not None
    )


def check_python(words: list[str]) -> None:
    """`python -m a.b` and `python a/b.py` are there."""
    if Path(words[0]).name not in {"python", "python3"} or len(words) < 2 or words[1] == "-c":
        return
    if words[1] == "-m":
        assert importlib.util.find_spec(words[2]), words
    elif not words[1].startswith("-"):
        assert (ROOT / words[1]).is_file(), words


def check_flask(app: Flask, words: list[str]) -> None:
    """The command is one of the portal's, and has these options."""
    name = Path(words[0]).name
    if name in {"python", "python3"} and words[1:3] == ["-m", "flask"]:
        words = words[2:]
    elif name != "flask":
        return
    rest = words[3:] if words[1] == "--app" else words[1:]
    command: click.Command = click.Group(commands={**app.cli.commands, "db": database_commands})
    context = click.Context(command)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest[0])
        assert found, f"flask has no command {rest[0]}"
        command, rest = found, rest[1:]
        context = click.Context(command, parent=context)
    command.make_parser(context).parse_args(list(rest))


def check_addresses(app: Flask, words: list[str]) -> None:
    """What curl asks the portal for has a route, for that method."""
    if Path(words[0]).name != "curl":
        return
    reading = {"-G", "--get"} & set(words)
    method = "POST" if WRITING & set(words) and not reading else "GET"
    for place, word in enumerate(words):
        if word in {"-X", "--request"}:
            method = words[place + 1]
    adapter = app.url_map.bind("portal.example.com", url_scheme="https")
    for path in [match[1] or "/" for word in words if (match := BASE.match(word))]:
        concrete = re.sub(r"\$\{?\w+\}?|<\w+>|\{\w+\}", "1", path.partition("?")[0])
        try:
            adapter.match(concrete, method=method)
        except RequestRedirect:
            pass
        except HTTPException as error:
            pytest.fail(f"{method} {path}: {error.code}")


@pytest.mark.parametrize(
    ("language", "parse"),
    [("json", json.loads), ("python", ast.parse), ("yaml", yaml.safe_load), ("toml", tomllib.loads)],
)
def test_example_can_be_read(language: str, parse) -> None:
    faults = {}
    for block in BLOCKS:
        try:
            if block.language == language:
                parse(block.text)
        except (ValueError, SyntaxError, yaml.YAMLError) as error:
            faults[block.name] = str(error)
    assert faults == {}


def test_blocks_are_read_with_their_marks() -> None:
    text = "<!-- run -->\n```sh\nls\n```\n\n1. one\n\n    <!-- proof: tests/a.py::b, drills/c.py -->\n    ```sh\n    cd x\n    ```\n"
    first, second = blocks_of("page", text)
    assert (first.kind, first.line, first.text) == ("run", 2, "ls\n")
    assert (second.proofs, second.text) == (["tests/a.py::b", "drills/c.py"], "cd x\n")


def test_a_block_without_a_mark_has_none() -> None:
    [_, second] = blocks_of("page", "<!-- run -->\n```sh\nls\n```\n```sh\nrm -r /\n```\n")
    assert second.kind == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=1 ls -l | wc -l > out # it's", [["ls", "-l"], ["wc", "-l"]]),
        (
            'T=$(cat "a b" \\\n  | jq .)\nsudo -u x y "$(z 1)"',
            [["cat", "a b"], ["jq", "."], ["z", "1"], ["y", "$(z 1)"]],
        ),
        ("for i in 1 2; do ls $i; done", [["ls", "$i"]]),
        ("cat > f <<'EOF'\nnot a command\nEOF\nls", [["cat"], ["ls"]]),
    ],
)
def test_simple_commands_are_found(text: str, expected: list[list[str]]) -> None:
    found = list(commands(without_comments(text)))
    assert all(words in found for words in expected), found
    assert not any(words[0] in {"not", "1", "for", "done"} for words in found)


@pytest.mark.parametrize(
    "proof", ["tests/docs/test_commands.py::nothing", "app/cli.py::setup", "tests/none.py"]
)
def test_a_proof_that_is_not_there_is_noticed(proof: str) -> None:
    assert not exists(proof)
