"""A migration runs while the portal of the version before it still serves: it may add, and take away a release later.

docs/operations/upgrade.md says so to people. What takes away says `contract = "why no running version needs it"` in its file.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.migrating import SCRIPT

# Written before the first release: nothing ran that they could have broken. No file is added here.
BEFORE_RELEASES = {f"{number:04}" for number in range(1, 26)}
TAKES_AWAY = {"drop_column", "drop_table", "rename_table", "drop_table_comment"}
IN_SQL = re.compile(
    r"\bDROP\s+(TABLE|COLUMN|VIEW)\b|\bRENAME\b|\bSET\s+NOT\s+NULL\b|\bALTER\s+COLUMN\s+\w+\s+TYPE\b",
    re.IGNORECASE,
)


def breaks(source: str) -> list[str]:
    """What the code of the version before would stumble over, unless the file says that it may."""
    tree = ast.parse(source)
    told = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    reason = told.get("contract")
    if isinstance(reason, ast.Constant) and isinstance(reason.value, str) and reason.value.strip():
        return []
    [upgrade] = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade"]
    return [fault for node in ast.walk(upgrade) if (fault := _fault(node))]


def _fault(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
        return f"line {node.lineno}: SQL that takes something away"
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return ""
    given = {word.arg: word.value for word in node.keywords if word.arg}
    name, at = node.func.attr, f"line {node.lineno}"
    if name in TAKES_AWAY:
        return f"{at}: {name}"
    if name == "alter_column":
        return f"{at}: alter_column" if not _only_loosens(given) else ""
    if name == "add_column":
        return f"{at}: a column that must be given, and older code does not" if _must_be_given(node) else ""
    return ""


def _only_loosens(given: dict[str, ast.expr]) -> bool:
    """Whether an alter_column only lets in more: NULL, or a default that was not there."""
    harmless = {"nullable", "server_default", "comment", "schema"} | {
        name for name in given if name.startswith("existing_")
    }
    stricter = _is(given.get("nullable"), value=False) or _is(given.get("server_default"), value=None)
    return set(given) <= harmless and not stricter


def _must_be_given(add_column: ast.Call) -> bool:
    for column in (
        word for word in ast.walk(add_column) if isinstance(word, ast.Call) and word is not add_column
    ):
        given = {word.arg: word.value for word in column.keywords}
        if _is(given.get("nullable"), value=False) and "server_default" not in given:
            return True
    return False


def _is(expression: ast.expr | None, *, value: object) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is value


@pytest.mark.parametrize("revision", list(SCRIPT.walk_revisions()), ids=lambda revision: revision.revision)
def test_migration_breaks_nothing_that_runs(revision) -> None:
    if revision.revision in BEFORE_RELEASES:
        return
    assert breaks(Path(revision.path).read_text(encoding="utf-8")) == [], "see docs/operations/upgrade.md"


HARMLESS = [
    'op.add_column("t", sa.Column("a", sa.Text(), nullable=True))',
    'op.add_column("t", sa.Column("a", sa.Integer(), nullable=False, server_default="0"))',
    'op.alter_column("t", "a", existing_type=sa.Text(), nullable=True)',
    'op.create_table("t", sa.Column("id", sa.Integer(), nullable=False))',
    'op.drop_index("ix_t_a", "t")',
    'op.execute("UPDATE t SET a = b")',
]
HARMFUL = [
    'op.drop_column("t", "a")',
    'op.drop_table("t")',
    'op.rename_table("t", "u")',
    'op.alter_column("t", "a", new_column_name="b")',
    'op.alter_column("t", "a", type_=sa.Integer())',
    'op.alter_column("t", "a", nullable=False)',
    'op.alter_column("t", "a", server_default=None)',
    'op.add_column("t", sa.Column("a", sa.Text(), nullable=False))',
    'op.execute("ALTER TABLE t RENAME COLUMN a TO b")',
    'op.execute(f"ALTER TABLE {T} ALTER COLUMN a SET NOT NULL")',
]


@pytest.mark.parametrize("line", HARMLESS)
def test_what_adds_is_let_through(line: str) -> None:
    assert breaks(f"def upgrade():\n    {line}\n") == []


@pytest.mark.parametrize("line", HARMFUL)
def test_what_takes_away_is_found(line: str) -> None:
    assert len(breaks(f"def upgrade():\n    {line}\n")) == 1
    assert breaks(f'contract = "0.3 reads it nowhere"\ndef upgrade():\n    {line}\n') == []


def test_an_empty_reason_is_none() -> None:
    assert breaks('contract = ""\ndef upgrade():\n    op.drop_table("t")\n') != []
