"""What Schemathesis must know of this portal: whom it must not lock out, and what no answer may tell.

Loaded by Schemathesis itself (`fuzz.py` names it), in a process of its own.
"""

import os
import re
from urllib.parse import urlencode

import schemathesis

# People without whom every further request is a 401, or sits behind another door.
KEPT = set(os.environ["FUZZ_KEPT"].split())
NOBODY = 2**31 - 1
ABOUT_PEOPLE = re.compile(r"/(users|people)/\{(id|pk)\}")
INSIDE = re.compile(
    r"Traceback|psycopg|sqlalchemy|\bSELECT\b.*\bFROM\b|\bINSERT INTO\b|File \"|Error\b.*line \d|werkzeug"
)


# Beyond this the HTTP server refuses the request's first line by itself, before the application sees it.
LONGEST_LINE = 4000


@schemathesis.hook
def filter_case(context, case):
    """Every address reaches the application."""
    return len(urlencode(case.query or {}, doseq=True)) < LONGEST_LINE


@schemathesis.hook
def before_call(context, case, **_):
    """Whoever sends the requests is not deactivated, renamed or stripped of their roles by them."""
    if case.method != "GET" and ABOUT_PEOPLE.search(case.path):
        for name, value in case.path_parameters.items():
            if str(value).strip() in KEPT:
                case.path_parameters[name] = NOBODY


@schemathesis.check
def tells_nothing_of_the_inside(context, response, case):
    """A refusal has the contract's shape and no other field; nothing names SQL, a trace or a class."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    try:
        body = response.json()
    except ValueError:
        raise AssertionError(f"no JSON: {response.text[:200]}") from None
    assert set(body) == {"error", "message", "detail"}, f"another shape: {sorted(body)}"
    assert not INSIDE.search(response.text), response.text
