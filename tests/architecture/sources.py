"""The source of the application, read and not run: what stands where."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"


def modules() -> Iterator[tuple[str, ast.Module]]:
    """The dotted name and the syntax tree of every module of the application."""
    for path in sorted(APP.rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def functions(
    tree: ast.AST, prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Functions and methods, by their name in the module; inner functions belong to the one around them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{prefix}{node.name}.")


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    """Every call of something of this name, with or without a module before it."""
    found = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return [call for call in found if name in {getattr(call.func, "id", ""), getattr(call.func, "attr", "")}]
