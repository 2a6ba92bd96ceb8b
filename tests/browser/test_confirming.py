"""What can't be undone is asked for first, however early the button is pressed."""


def test_button_asks_although_the_other_scripts_are_still_on_their_way(window):
    visitor = window("root")
    page = visitor.page
    page.route("**/js/theme.js", lambda _route: None)  # the first of those that run when the page is there
    page.goto(visitor.base + "/schedule/", wait_until="commit")
    pause = page.get_by_role("button", name="Pause").first
    pause.click(no_wait_after=True)
    page.wait_for_selector("#confirm-dialog[open]")
    assert "does not run by itself any more" in page.inner_text("#confirm-text")
    page.click("#confirm-dialog [value=cancel]", no_wait_after=True)
    page.wait_for_selector("#confirm-dialog:not([open])", state="attached")
    assert page.url.endswith("/schedule/")
