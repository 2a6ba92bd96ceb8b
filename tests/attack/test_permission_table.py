"""The checked-in table of who may do what is what the application does, and what is right."""

import pytest

from tests.attack.permission_table import CAST, COLUMNS, PATH, SCOPES, WRITING, measure, read, routes, written

HOW = "Run `python -m tests.attack.permission_table`, read the difference of permission_table.csv, and commit it."

# What anybody may ask for. Everything else sends people to the sign-in and tells programs 401.
PUBLIC = {
    "/": "the start page sends people to the sign-in and welcomes programs",
    "/health": "load balancers have no account",
    "/metrics": "Prometheus has no account: a 404 without METRICS_TOKEN, which is demanded with it",
    "/livez": "container engines have no account",
    "/readyz": "nor have they",
    "/back": "FAB's way back: it redirects",
    "/lang/<string:locale>": "FAB's choice of a language: it redirects",
    "/docs": "the contract's: what the API is, and nothing of what is in it",
    "/api/openapi.json": "the document behind it",
    "/login/": "the sign-in",
    "/logout/": "signing out twice is no mistake",
    "/invitation/<token>": "the link is the proof",
    "/calendar/<secret>.ics": "calendar programs can't sign in: the address is the proof",
    "/unsubscribe/<token>": "mail programs can't sign in: the signed address is the proof",
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
        for name in COLUMNS
        if answers[name] != expected.get((route, method), {}).get(name)
    ]
    assert differing == [], HOW


def test_table_is_written_as_the_script_writes_it():
    assert written(read()) == PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COLUMNS)
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
            (
                "/users/",
                "/roles/",
                "/groups/",
                "/permission",
                "/viewmenus",
                "/audit",
                "/outbox",
                "/dead-letters",
                "/schedule/",
                "/scheduled-runs",
                "/payments/",
                "/exchange-rates",
                "/renewals",
                "/messages",
                "/chat-channels",
            )
        ):
            # An action that does not exist is a 404 for everybody.
            refusals = {"404"} if "/action" in route else {"403"}
            assert {answers[name] for name in ("charlie", "bob", "alice")} == refusals, (method, route)


def test_employee_is_let_in_only_where_everybody_works():
    """Their inbox, reminders and absences, their notices, own page and password, searches that the row rules narrow."""
    shut = {"login", "401", "403", "405"}
    allowed = ("/inbox/", "/notices/", "/me/", "/resetmypassword/", "/lookup/", "/api/inbox/")
    allowed += ("/api/v1/task", "/api/v1/notifications")
    allowed += ("/reminders/", "/absences/", "/api/v1/absences/", "/api/v1/reminder-answers/")
    odd = [
        f"{method} {route}"
        for (route, method), answers in read().items()
        if answers["charlie"] not in shut and route not in PUBLIC and "/action" not in route
        if not route.startswith((*allowed, *SELF_AUTHENTICATING))
    ]
    assert odd == []


# What would outlive a token, or end the session it has none of.
IN_PERSON = ("/api/auth/logout", "/api/auth/tokens")


def resource(route: str) -> str:
    """What a route is about, as scopes call it: its last word."""
    return [word for word in route.strip("/").split("/") if not word.startswith(("<", "_"))][-1]


def opens(scope: str, route: str, method: str) -> bool:
    """Whether a scope is for such a request, where its owner may."""
    *resources, verb = scope.split(":")
    return verb == ("read" if method == "GET" else "write") and (
        not resources or resource(route) in resources
    )


@pytest.mark.parametrize("scope", SCOPES)
def test_token_opens_what_its_scope_says_and_nothing_else(scope):
    """On both APIs: what root is answered where the scope is for it, 403 everywhere else."""
    wrong = {
        f"{method} {route}": answers[scope]
        for (route, method), answers in read().items()
        if route.startswith("/api/") and not route.startswith(IN_PERSON)
        if answers["nobody"] == "401" != answers["root"]
        if answers[scope] != (answers["root"] if opens(scope, route, method) else "403")
    }
    assert wrong == {}


@pytest.mark.parametrize("scope", SCOPES)
def test_token_never_does_what_takes_a_person(scope):
    asked = [answers[scope] for (route, _), answers in read().items() if route.startswith(IN_PERSON)]
    assert set(asked) == {"401"}


@pytest.mark.parametrize("scope", SCOPES)
def test_token_is_nothing_where_none_is_taken(scope):
    """On pages, on their searches, at the sign-ins and at HR's door."""
    doors = (
        "/api/auth/login",
        "/api/auth/refresh",
        "/api/v1/security/",
        "/api/webhooks/",
        "/api/openapi.json",
    )
    odd = {
        f"{method} {route}": answers[scope]
        for (route, method), answers in read().items()
        if not route.startswith("/api/") or route.startswith(doors)
        if answers[scope] != answers["nobody"]
    }
    assert odd == {}


@pytest.mark.parametrize("scope", [scope for scope in SCOPES if ":" in scope])
def test_scope_of_a_resource_opens_it_on_both_apis(scope):
    opened = [one for one, answers in read().items() if answers["nobody"] == "401" != answers[scope] != "403"]
    assert {route.startswith("/api/v1/") for route, _ in opened} == {True, False}
