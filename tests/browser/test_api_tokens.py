"""The page of API tokens in a browser: a token is made, shown once, and revoked after a question."""

from datetime import timedelta

import pytest

from app.foundation import clock


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False)])
def test_token_is_made_shown_once_and_revoked(window, width, dark):
    visitor = window("charlie", width=width, dark=dark)
    page = visitor.page
    visitor.open("/me/tokens/")
    page.fill("[name=name]", "Nightly report of the tasks")
    page.click("summary:has-text('Only some kinds')")
    page.check("[name=scopes][value='tasks:write']")
    page.fill("[name=expires_on]", str(clock.today() + timedelta(days=30)))
    page.click("text=Make the token")
    page.wait_for_selector("[data-copy-from]")
    assert page.input_value("[data-copy-from]").startswith("po_")
    assert visitor.fits()
    page.click("button:has-text('Revoke') >> nth=0")
    page.click("dialog button:has-text('Revoke')")
    page.wait_for_selector("text=is revoked")
    assert page.locator("[data-copy-from]").count() == 0
    assert visitor.complaints == []
    assert visitor.strangers == []
