"""What no longer fits on a few screens is two things."""

import pytest

from tests.architecture.sources import APP, functions, modules

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


@pytest.mark.parametrize("path", sorted(APP.rglob("*.py")), ids=lambda path: str(path.relative_to(APP)))
def test_file_is_short_enough(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_functions_are_short_enough():
    lengths = {
        f"{module}.{name}": node.end_lineno - node.lineno + 1
        for module, tree in modules()
        for name, node in functions(tree)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}
