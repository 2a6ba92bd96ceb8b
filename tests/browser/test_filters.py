"""Filtering a list by a related row: it is searched for, and its name stands on the chip."""

import pytest


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (360, False)])
def test_products_of_one_service_are_found_by_its_name(window, width, dark):
    visitor = window("root", width=width, dark=dark)
    page = visitor.page
    visitor.open("/products/list/")
    page.click("[data-filter-menu] > summary")
    page.select_option("[data-filter-col]", "service")
    page.click("[data-filter-value] .select2-selection")
    page.fill(".select2-search__field", "slac")
    page.click(".select2-results__option:has-text('Slack')")
    page.click("text=Apply filter")
    page.wait_for_selector(".chip--filter:has-text('Slack')")
    assert page.locator("tbody tr .row-link").all_inner_texts() == ["Slack Business"]
    assert visitor.fits()
    page.click(".chip--filter a")
    page.wait_for_url(lambda url: "_flt_" not in url)
    assert visitor.complaints == []
    assert visitor.strangers == []
