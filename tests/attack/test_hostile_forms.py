"""Every form and every list of the pages, filled with what no browser sends."""

import re

import pytest

from tests.attack.hostile import SHORT, TEXTS, Faults, browse, keys, path_of
from tests.attack.hostile_requests import PAGE_PARAMETERS
from tests.attack.test_hostile_values import page_rules

_NAME = re.compile(r'<(?:input|select|textarea)[^>]* name="([^"]+)"')
MORE_FIELDS = {
    "status",
    "comment",
    "assignee_id",
    "roles",
    "rowid",
    "action",
    "password",
    "conf_password",
    "username",
}

FEW = ("quote", "huge", "NUL", "negative", "no UTF-8")


@pytest.fixture
def faults():
    return Faults()


@pytest.fixture
def known(app, world):
    return keys(app, world)


def fields_of(app, visitor, known) -> set[str]:
    """The names of the fields of every form that there is."""
    names = set(MORE_FIELDS)
    for rule in page_rules(app, "GET"):
        names |= set(_NAME.findall(browse(visitor, "GET", path_of(rule, known)).text))
    return names - {"csrf_token"}


def test_hostile_value_in_every_field_of_every_form(app, root, visit, known, faults):
    names = sorted(fields_of(app, root, known))
    for rule in page_rules(app, "POST"):
        visitor = visit("root")
        for name, value in list(TEXTS.items())[::2]:
            form = b"&".join(field.encode() + b"=" + value for field in names)
            if len(value) > 1_000:
                form = b"&".join(field.encode() + b"=" + value[:10_000] for field in names)
            path = path_of(rule, known)
            faults.judge(f"POST {rule} {name}", browse(visitor, "POST", path, form=form), published=False)
        twice = b"&".join(field.encode() + b"=1&" + field.encode() + b"=x" for field in names)
        faults.judge(f"POST {rule} twice", browse(visitor, "POST", path, form=twice), published=False)
    faults.must_be_none(150)


def test_hostile_parameter_of_every_page_that_takes_some(app, root, known, faults):
    for rule in page_rules(app, "GET"):
        path = path_of(rule, known)
        taken = (
            PAGE_PARAMETERS
            if path.startswith(("/inbox", "/audit", "/lookup", "/people/", "/renewals"))
            else ("next",)
        )
        for parameter in taken:
            for name in FEW if len(taken) > 1 else FEW[-1:]:
                answer = browse(root, "GET", path, f"{parameter}=".encode() + SHORT[name])
                faults.judge(f"GET {rule} {parameter} {name}", answer, published=False)
    faults.must_be_none(150)


def test_hostile_arguments_of_every_list(app, root, faults):
    """FAB's arguments name the view: `_oc_ServiceView`."""
    for view in app.appbuilder.baseviews:
        if not hasattr(view, "list_widget") or not view.route_base:
            continue
        path, own = f"{view.route_base}/list/", view.__class__.__name__
        arguments = {f"{kind}_{own}": FEW for kind in ("_oc", "_od", "page", "psize")}
        arguments |= dict.fromkeys(
            [f"_flt_{number}_{column}" for column in view.search_columns for number in (0, 2)], FEW[:2]
        )
        arguments |= dict.fromkeys(
            ["_flt_0_nothing", "_flt_99_id", "_flt_x_id", "_flt_", "_flt_0_password"], FEW[:1]
        )
        for argument, values in arguments.items():
            for name in values:
                answer = browse(root, "GET", path, f"{argument}=".encode() + SHORT[name])
                faults.judge(f"GET {path} {argument} {name}", answer, published=False)
    faults.must_be_none(150)
