"""Every page, in a real browser: nothing blocked, nobody else asked, nothing wider than the window."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PAGES = [
    "/",
    "/inbox/",
    "/inbox/?scope=all",
    "/inbox/1",
    "/me/",
    "/notices/",
    "/services/list/",
    "/services/add",
    "/services/show/1",
    "/services/edit/1",
    "/products/list/",
    "/products/add",
    "/products/show/1",
    "/products/edit/1",
    "/assignments/list/",
    "/assignments/add",
    "/assignments/show/1",
    "/grants/list/",
    "/grants/add",
    "/grants/show/1",
    "/grants/edit/1",
    "/people/list/",
    "/people/add",
    "/people/2",
    "/people/edit/2",
    "/renewals/",
    "/renewals/?month=2031-01&kind=renewal&mine=1",
    "/renewals/feed/",
    "/exchange-rates/list/",
    "/exchange-rates/add",
    "/exchange-rates/import",
    "/departments/list/",
    "/departments/add",
    "/departments/show/1",
    "/departments/edit/1",
    "/cases/list/",
    "/cases/show/1",
    "/templates/list/",
    "/templates/add",
    "/templates/show/1",
    "/templates/edit/1",
    "/hr-events/list/",
    "/hr-events/show/1",
    "/audit/",
    "/audit/1",
    "/outbox/list/",
    "/outbox/show/1",
    "/schedule/",
    "/schedule/app.lifecycle.jobs.leave_on_last_days",
    "/scheduled-runs/list/",
    "/users/list/",
    "/users/add",
    "/users/show/1",
    "/users/edit/1",
    "/roles/list/",
    "/roles/show/1",
    "/groups/list/",
    "/permissions/list/",
    "/viewmenus/list/",
    "/permissionviews/list/",
    "/resetmypassword/form",
    "/nothing-here",
    "/services/show/999999",
]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (360, True)])
def test_every_page_is_whole(window, width, dark):
    admin = window("root", width=width, dark=dark)
    broken, wide = {}, []
    for path in PAGES:
        status = admin.open(path).status
        if status != (404 if path in PAGES[-2:] else 200):
            broken[path] = status
        if not admin.fits():
            wide.append(path)
    assert broken == {}
    assert wide == []
    assert admin.complaints == []
    assert admin.strangers == []


def test_every_page_has_one_heading_a_title_and_named_controls(window):
    admin = window("root")
    faults = {}
    for path in PAGES:
        admin.open(path)
        found = admin.page.evaluate("""() => ({
            headings: document.querySelectorAll('h1').length,
            title: document.title,
            nameless: [...document.querySelectorAll('main a, main button, main input:not([type=hidden]), main select, main textarea')]
                .filter((one) => one.offsetParent && !(one.textContent || '').trim() && !one.getAttribute('aria-label')
                    && !one.getAttribute('title') && !(one.labels && one.labels.length) && !one.getAttribute('aria-labelledby'))
                .map((one) => one.outerHTML.slice(0, 120)),
        })""")
        if found["headings"] != 1 or not found["title"] or found["nameless"]:
            faults[path] = found
    assert faults == {}


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_navigation_leads_only_where_one_may_go(window, name):
    visitor = window(name)
    links = visitor.page.eval_on_selector_all(
        ".nav a", "links => links.map(link => link.getAttribute('href'))"
    )
    assert links
    assert {link: visitor.open(link).status for link in links if visitor.open(link).status != 200} == {}
    assert visitor.complaints == []


def test_theme_is_kept_and_applied_before_the_first_paint(window):
    visitor = window("charlie")
    dark = "getComputedStyle(document.body).backgroundColor"
    before = visitor.page.evaluate(dark)
    visitor.page.evaluate("localStorage.setItem('portal-theme', 'dark')")
    visitor.open("/")
    assert visitor.page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert visitor.page.evaluate(dark) != before


def test_menu_opens_and_closes_by_keyboard_at_360_pixels(window):
    visitor = window("charlie", width=360)
    toggle = visitor.page.locator("[data-nav-toggle]")
    toggle.focus()
    visitor.page.keyboard.press("Enter")
    visitor.page.locator(".nav a", has_text="Inbox").wait_for(state="visible")
    visitor.page.keyboard.press("Escape")
    expect(toggle).to_be_focused()


def test_menu_that_is_closed_at_once_gives_the_focus_back(window):
    """Before the frame in which the focus would have gone into it."""
    page = window("charlie", width=360).page
    page.evaluate(
        """() => new Promise(done => {
            document.querySelector("[data-nav-toggle]").click();
            getComputedStyle(document.getElementById("sidebar")).visibility;
            document.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape"}));
            requestAnimationFrame(() => requestAnimationFrame(done));
        })"""
    )
    expect(page.locator("[data-nav-toggle]")).to_be_focused()


def test_sign_out_is_a_form_and_ends_the_session(window):
    visitor = window("charlie")
    visitor.page.locator("details.menu summary").click()
    visitor.page.get_by_role("button", name="Sign out").click()
    visitor.page.wait_for_url(lambda url: "/login" in url)
    assert "/login" in visitor.open("/me/").url
