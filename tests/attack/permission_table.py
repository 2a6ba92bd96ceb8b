"""Who may do what, as a table: every route and method, and what each of the cast and each token is answered.

`python -m tests.attack.permission_table` writes the table anew from what the application does now; read the
difference before you commit it.
"""

import csv
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from tests.attack.doors import NO_SUCH_KEY, call
from tests.visitor import Script, Visitor

PATH = Path(__file__).with_name("permission_table.csv")
CAST = ("nobody", "charlie", "bob", "alice", "root")
# Personal tokens of root, by their scope: whatever such a token is refused, its scope refuses.
SCOPES = ("read", "write", "services:read", "services:write", "tasks:read")
COLUMNS = (*CAST, *SCOPES)
HEADER = ("route", "method", *COLUMNS)
WRITING: list[bool] = []

Table = dict[tuple[str, str], dict[str, str]]


def routes(app: Flask) -> list[tuple[str, str]]:
    """Every route with each of its methods."""
    found = {(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods}
    return sorted(one for one in found if one[1] not in {"HEAD", "OPTIONS"})


def outcome(answer: Any) -> str:
    """A status as the table has it; a redirect to the sign-in is `login`, any other `moved`."""
    if 300 <= answer.status_code < 400:
        return "login" if re.match(r"(http://localhost)?/login/", answer.headers["Location"]) else "moved"
    return str(answer.status_code)


def ask(visitor: Visitor, route: str, method: str) -> str:
    """What somebody is answered on a route, with keys that no row has: 404 says that they would be let in."""
    path = re.sub(r"<int:[^>]*>|<[^>]*(pk|id|key)>", str(NO_SUCH_KEY), route)
    path = re.sub(r"<[^>]*>", "nonsense", path)
    return outcome(call(visitor, method, path, None if method in {"GET", "DELETE"} else {}))


def measure(app: Flask, visit: Callable[[str | None], Visitor], wanted: list[tuple[str, str]]) -> Table:
    """The table as the application is now. Signing out comes last: it ends the session that the others need."""
    visitors = {name: visit(None if name == "nobody" else name) for name in CAST}
    visitors |= {scope: Script(app, "root", (scope,)) for scope in SCOPES}
    in_order = sorted(wanted, key=lambda one: "logout" in one[0])
    found = {one: {name: ask(visitors[name], *one) for name in COLUMNS} for one in in_order}
    return {one: found[one] for one in wanted}


def read() -> Table:
    """The table that is checked in."""
    with PATH.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["route"], row["method"]): {name: row[name] for name in COLUMNS} for row in rows}


def written(table: Table) -> str:
    """A table as the file has it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, lineterminator="\n")
    writer.writeheader()
    for (route, method), answers in sorted(table.items()):
        writer.writerow({"route": route, "method": method, **answers})
    return text.getvalue()


def main() -> int:
    """The test writes the file, in the application that it runs in."""
    import pytest  # noqa: PLC0415

    from tests.attack import permission_table  # noqa: PLC0415 - this file runs under another name

    permission_table.WRITING.append(True)
    name = f"{Path(__file__).with_name('test_permission_table.py')}::test_table_is_what_the_application_does"
    return pytest.main(["-q", name])


if __name__ == "__main__":
    sys.exit(main())
