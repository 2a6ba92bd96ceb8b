"""/docs in a real browser: it reads the document, asks nobody else, and our policy stops nothing of it."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_docs_show_both_apis(window, width, dark):
    visitor = window("charlie", width=width, dark=dark)
    assert visitor.open("/docs").status == 200
    operations = visitor.page.locator(".opblock")
    expect(operations.first).to_be_visible(timeout=15_000)
    paths = visitor.page.locator(".opblock-summary-path").all_text_contents()
    assert {"/api/services", "/api/v1/services/", "/api/webhooks/hr/onboarding"} <= {
        path.replace("\u200b", "") for path in paths
    }
    assert visitor.page.locator("h1").count() == 1
    assert visitor.fits()
    assert visitor.complaints == []
    assert visitor.strangers == []


def test_docs_are_for_everybody_and_calls_can_be_tried(window):
    visitor = window("charlie")
    visitor.page.context.clear_cookies()
    assert visitor.open("/docs").status == 200
    visitor.page.locator("#operations-openapi-openapi").click()
    visitor.page.get_by_role("button", name="Try it out").click()
    visitor.page.get_by_role("button", name="Execute").click()
    answer = visitor.page.locator(".live-responses-table tbody .response-col_status").first
    expect(answer).to_contain_text("200", timeout=15_000)
    assert visitor.complaints == []
    assert visitor.strangers == []
