"""Roles are patterns over names: a pattern that is not anchored, or names nothing, gives or takes in silence."""

import re

import pytest

from app.roles import ROLES

PAIRS = [
    (role, view, permission) for role, pairs in ROLES.items() if role != "Admin" for view, permission in pairs
]


def offered(app) -> set[tuple[str, str]]:
    """Every (view, permission) that a registered page or API asks for, and the menu's."""
    views = {
        (view.class_permission_name, name)
        for view in app.appbuilder.baseviews
        for name in view.base_permissions
    }
    return views | {(name, "menu_access") for name in menu_names(app.appbuilder.menu.get_list())}


def menu_names(items) -> set[str]:
    """The names of a menu's entries and of those below them."""
    return {name for item in items for name in {item.name, *menu_names(item.childs)} if name != "-"}


def words(pattern: str) -> set[str]:
    """The alternatives of a pattern like `(One|Two)$` or `can_(read|edit)$`."""
    prefix, alternatives = re.fullmatch(r"(\w*?)\(?([^()]*)\)?\$", pattern).groups()
    return {prefix + word for word in alternatives.split("|")}


def test_admin_may_do_everything():
    assert ROLES["Admin"] == [[".*", ".*"]]


@pytest.mark.parametrize(("role", "view", "permission"), PAIRS)
def test_pattern_is_anchored_and_compiles(role, view, permission):
    for pattern in (view, permission):
        assert pattern.endswith("$")
        assert "|" not in pattern or pattern.count("(") == 1, (
            "alternatives outside of brackets are not anchored"
        )
        assert ".*" not in pattern
        re.compile(pattern)


@pytest.mark.parametrize(("role", "view", "permission"), PAIRS)
def test_every_word_of_a_pattern_names_something(one_app, role, view, permission):
    known = offered(one_app)
    assert words(view) - {name for name, _ in known} == set()
    for noun in words(view):
        assert {one for name, one in known if name == noun} & words(permission), f"{noun} has no {permission}"
    for verb in words(permission):
        assert {name for name, one in known if one == verb} & words(view), f"nothing of {view} has {verb}"


def test_pages_and_api_of_a_noun_have_the_same_permissions(one_app):
    """Or `flask setup` lets each delete what the other has."""
    found: dict[str, dict[str, set[str]]] = {}
    for view in one_app.appbuilder.baseviews:
        if view.base_permissions:
            found.setdefault(view.class_permission_name, {})[type(view).__name__] = set(view.base_permissions)
    differing = {noun: views for noun, views in found.items() if len(set(map(frozenset, views.values()))) > 1}
    assert differing == {}


def test_only_known_roles_are_declared():
    assert set(ROLES) == {"Admin", "ServiceAdministrator", "ProductAdministrator", "Employee"}


def test_nobody_but_admins_may_touch_the_security_pages(one_app):
    guarded = {
        "AccountView",
        "RoleView",
        "GroupView",
        "PermissionsView",
        "ViewMenusView",
        "RolePermissionsView",
    }
    guarded |= {
        "ResetPasswordView",
        "UserInfoEditView",
        "AuditEntry",
        "Outbox",
        "ScheduledRun",
        "Schedule",
        "DeadLetter",
        "HrEvent",
        "PaymentInfo",
        "PaymentImport",
        "ExchangeRate",
        "WebhookEndpoint",
        "WebhookDelivery",
    }
    for name, permission in offered(one_app):
        if name in guarded:
            allowed = [
                role for role, view, verb in PAIRS if re.match(view, name) and re.match(verb, permission)
            ]
            assert allowed == [], (name, permission)
