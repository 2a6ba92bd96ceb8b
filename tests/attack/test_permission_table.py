"""The checked-in table of who may do what is what the application does, and what is right."""

import pytest

from tests.attack.permission_table import CAST, PATH, WRITING, measure, read, routes, written

HOW = "Run `python -m tests.attack.permission_table`, read the difference of permission_table.csv, and commit it."

# What anybody may ask for. Everything else sends people to the sign-in and tells programs 401.
PUBLIC = {
    "/": "the start page sends people to the sign-in and welcomes programs",
    "/health": "load balancers have no account",
    "/back": "FAB's way back: it redirects",
    "/lang/<string:locale>": "FAB's choice of a language: it redirects",
    "/docs": "the contract's: what the API is, and nothing of what is in it",
    "/api/openapi.json": "the document behind it",
    "/login/": "the sign-in",
    "/logout/": "signing out twice is no mistake",
    "/invitation/<token>": "the link is the proof",
    "/static/<path:filename>": "style sheets and scripts",
    "/static/appbuilder/<path:filename>": "style sheets and scripts",
}
SELF_AUTHENTICATING = ("/api/webhooks/", "/api/v1/security/", "/api/auth/")


def test_every_route_is_in_the_table(one_app):
    known, there = set(read()), set(routes(one_app))
    assert sorted(there - known) == [], f"new routes. {HOW}"
    assert sorted(known - there) == [], f"routes that are gone. {HOW}"


def test_table_is_what_the_application_does(app, visit):
    found = measure(app, visit, routes(app))
    if WRITING:
        PATH.write_text(written(found), encoding="utf-8")
    expected = read()
    differing = [
        f"{method} {route} for {name}: {answers[name]}, the table says {expected.get((route, method), {}).get(name)}"
        for (route, method), answers in found.items()
        for name in CAST
        if answers[name] != expected.get((route, method), {}).get(name)
    ]
    assert differing == [], HOW


def test_table_is_written_as_the_script_writes_it():
    assert written(read()) == PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CAST)
def test_table_has_no_server_error(name):
    assert [one for one, answers in read().items() if answers[name].startswith("5")] == []


def test_anonymous_is_sent_to_the_sign_in_or_told_401():
    wrong = {
        f"{method} {route}": answers["nobody"]
        for (route, method), answers in read().items()
        if route not in PUBLIC and not route.startswith(SELF_AUTHENTICATING)
        if answers["nobody"] != ("401" if route.startswith(("/api/", "/lookup/")) else "login")
    }
    assert wrong == {}


def test_public_list_names_routes_that_exist():
    assert set(PUBLIC) - {route for route, _ in read()} == set()


def test_nobody_may_more_than_root():
    """Where anybody is let in, root is; being let in is any answer but login, 401 and 403."""
    shut = {"login", "401", "403"}
    odd = [
        one
        for one, answers in read().items()
        if answers["root"] in shut and any(answers[name] not in shut for name in CAST)
    ]
    assert odd == []


def test_security_pages_are_root_s_alone():
    for (route, method), answers in read().items():
        if route.startswith(
            ("/users/", "/roles/", "/groups/", "/permission", "/viewmenus", "/audit", "/outbox")
        ):
            # An action that does not exist is a 404 for everybody.
            refusals = {"404"} if "/action" in route else {"403"}
            assert {answers[name] for name in ("charlie", "bob", "alice")} == refusals, (method, route)


def test_employee_is_let_in_only_where_everybody_works():
    """Their inbox, their notices, their own page and password, searches that the row rules narrow."""
    shut = {"login", "401", "403", "405"}
    allowed = ("/inbox/", "/notices/", "/me/", "/resetmypassword/", "/lookup/", "/api/inbox/")
    allowed += ("/api/v1/task", "/api/v1/notifications")
    odd = [
        f"{method} {route}"
        for (route, method), answers in read().items()
        if answers["charlie"] not in shut and route not in PUBLIC and "/action" not in route
        if not route.startswith((*allowed, *SELF_AUTHENTICATING))
    ]
    assert odd == []
