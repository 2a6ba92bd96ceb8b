"""Only config.py reads the environment."""

import ast

from tests.architecture.sources import ROOT, modules


def reads_environment(tree: ast.AST) -> list[int]:
    """The lines that name `os.environ` or `os.getenv`, however they were imported."""
    words = {"environ", "getenv", "environb", "getenvb", "putenv"}
    attributes = [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in words]
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "os"]
    return attributes + [n.lineno for n in imports if words & {alias.name for alias in n.names}]


def test_application_does_not_read_the_environment():
    assert {name: lines for name, tree in modules() if (lines := reads_environment(tree))} == {}


def test_programs_beside_it_do_not_either():
    paths = [
        ROOT / "run.py",
        *sorted((ROOT / "deploy").glob("*.py")),
        *sorted((ROOT / "migrations").rglob("*.py")),
    ]
    found = {path.name: reads_environment(ast.parse(path.read_text(encoding="utf-8"))) for path in paths}
    assert {name: lines for name, lines in found.items() if lines} == {}


def test_config_does():
    assert reads_environment(ast.parse((ROOT / "config.py").read_text(encoding="utf-8")))
