"""The inbox as people use it: without a reload with scripts, as plain forms without."""

import pytest

pytestmark = pytest.mark.browser


def open_task(inbox, title: str) -> None:
    inbox.page.get_by_role("link", name=title).click()
    inbox.page.get_by_role("heading", name=title).wait_for()


def badge(inbox) -> int:
    text = inbox.page.locator(".nav a[href='/inbox/'] .count").first.text_content() or "0"
    return int("".join(filter(str.isdigit, text)) or 0)


def test_task_is_opened_worked_on_and_completed_without_a_reload(window):
    alice = window("alice")
    alice.open("/inbox/")
    alice.page.evaluate("window.isTheSamePage = true")
    waiting = badge(alice)
    open_task(alice, "Give Jane Doe access to Gmail")
    assert "/inbox/" in alice.page.url

    alice.page.get_by_role("textbox", name="Comment").fill("On its way")
    alice.page.get_by_role("button", name="In progress").click()
    alice.page.get_by_text("On its way").first.wait_for()

    alice.page.get_by_role("button", name="Complete").click()
    alice.page.wait_for_function(
        "before => { const one = document.querySelector(\".nav a[href='/inbox/'] .count\");"
        " return !one || one.hidden || parseInt(one.textContent) === before - 1 }",
        arg=waiting,
    )
    alice.page.locator("[data-part] .pill", has_text="Completed").wait_for()
    assert alice.page.evaluate("window.isTheSamePage === true")
    assert alice.complaints == []


def test_back_button_leads_back_to_the_list(window):
    root = window("root")
    root.open("/inbox/?scope=all&status=")
    root.page.locator("[data-rows] a").first.click()
    root.page.wait_for_url(lambda url: "/inbox/?" not in url)
    root.page.go_back()
    root.page.wait_for_url(lambda url: "/inbox/?" in url)
    assert root.complaints == []


def test_everything_works_without_scripts(window):
    bob = window("bob", scripts=False)
    bob.open("/inbox/")
    open_task(bob, "Give Jane Doe access to GitHub Enterprise")
    bob.page.get_by_role("textbox", name="Comment").fill("Invited by hand")
    bob.page.get_by_role("button", name="Complete").click()
    bob.page.get_by_text("Invited by hand").first.wait_for()
    assert bob.page.locator(".pill", has_text="Completed").count() > 0


def test_refusal_keeps_what_was_typed_and_says_why(window, portal):
    bob = window("bob")
    bob.open("/inbox/")
    open_task(bob, "Give John Smith access to GitHub Enterprise")
    task = int(bob.page.url.split("/inbox/")[1].split("?")[0])
    token = portal.token_of("bob")
    portal.send("PUT", f"/api/v1/tasks/{task}", {"status": "completed"}, token=token)
    bob.page.get_by_role("textbox", name="Comment").fill("A long explanation")
    bob.page.get_by_role("button", name="In progress").click()
    bob.page.get_by_text("Only an Admin can reopen it").first.wait_for()
    assert bob.page.get_by_role("textbox", name="Comment").input_value() == "A long explanation"


def test_ended_session_loses_nothing_that_was_typed(window, portal):
    alice = window("alice")
    alice.open("/inbox/")
    open_task(alice, "Give John Smith access to Gmail")
    alice.page.get_by_role("textbox", name="Comment").fill("Half an hour of work")
    alice.page.context.clear_cookies()
    alice.page.get_by_role("button", name="In progress").click()
    alice.page.get_by_text("Your sign-in has ended").wait_for()
    assert alice.page.get_by_role("textbox", name="Comment").input_value() == "Half an hour of work"
