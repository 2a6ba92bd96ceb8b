"""What an Admin takes away is gone at the very next request, whichever web process answers it: nothing is cached for a while."""

from tests.deployment import Deployment, at_once

REQUESTS = 40


def answers(portal: Deployment, token: str, path: str) -> set[int]:
    """What many requests side by side are answered: they reach every process."""
    return {one.status for one in at_once([lambda: portal.get(path, token=token)] * REQUESTS)}


def key_of(portal: Deployment, name: str) -> int:
    return portal.one("SELECT id FROM users WHERE email = %s", f"{name}@example.com")


def test_role_that_is_taken_and_given_back_holds_at_once_in_every_process(portal):
    root, alice = portal.token_of("root"), portal.token_of("alice")
    rights = f"/api/users/{key_of(portal, 'alice')}/permissions"
    assert answers(portal, alice, "/api/users") == {200}
    for _ in range(3):
        assert portal.send("PUT", rights, {"roles": []}, token=root).status == 204
        assert answers(portal, alice, "/api/users") == {403}
        assert answers(portal, alice, "/api/v1/people/") == {403}
        assert portal.send("PUT", rights, {"roles": ["ServiceAdministrator"]}, token=root).status == 204
        assert answers(portal, alice, "/api/users") == {200}


def test_account_that_is_closed_is_refused_at_once_in_every_process(portal, browser):
    root, bob = portal.token_of("root"), portal.token_of("bob")
    window = browser()
    window.sign_in("bob")
    assert answers(portal, bob, "/api/auth/me") == {200}
    gone = portal.request(
        "DELETE", f"/api/users/{key_of(portal, 'bob')}", headers={"Authorization": f"Bearer {root}"}
    )
    assert gone.status == 204
    assert answers(portal, bob, "/api/auth/me") == {401}
    assert answers(portal, bob, "/api/v1/products/") == {401}
    assert {window.get("/inbox/", follow=False).status for _ in range(10)} == {302}


def test_total_is_exact_in_every_process_after_each_write(portal):
    """Totals are kept as long as nothing is committed, by each process for itself."""
    root = portal.token_of("root")
    for number in range(1, 6):
        made = portal.send(
            "POST", "/api/users", {"name": f"New {number}", "email": f"new.{number}@example.com"}, token=root
        )
        assert made.status == 201
        expected = portal.one("SELECT count(*) FROM users")
        pages = at_once([lambda: portal.get("/api/users?page=1&limit=2", token=root)] * REQUESTS)
        assert {page.json["pagination"]["total"] for page in pages} == {expected}
