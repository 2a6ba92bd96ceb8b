"""The register as people use it: typed over in place, by keyboard and by mouse; as plain forms without scripts."""

import pytest

from tests.deployment import Deployment

pytestmark = pytest.mark.browser

PRODUCTS = ("Gmail", "Drive", "Copilot")


@pytest.fixture
def register(window, portal: Deployment):
    """`register(width=360)`: root's window on the register, whose rows are as they were in the beginning."""
    token = portal.token_of("root")
    known = {
        "amount": "100.00",
        "currency": "EUR",
        "cardholderName": None,
        "cardLast4": "4242",
        "expiryDate": "2039-03-31",
        "paymentMethod": "Credit card",
        "renewalFrequency": "monthly",
        "nextRenewalDate": None,
    }
    items = portal.get("/api/payment-register", token=token).json
    for item in items:
        portal.send("PUT", f"/api/payment-register/{item['productId']}", known, token=token)

    def open_register(query: str = "", **options):
        opened = window("root", **options)
        opened.open(f"/payments/list/{query}")
        return opened

    return open_register


def row(page, product: str):
    return page.locator("tr[data-row]", has=page.get_by_role("link", name=product, exact=True))


def cell(page, product: str, name: str):
    return row(page, product).locator(f"td[data-f={name}]")


def badge(page) -> str:
    return page.locator(".nav a[href='/payments/list/'] .count").first.inner_text().split()[0]


def focused(page) -> str:
    return page.evaluate(
        "document.activeElement.closest('[data-f]')?.dataset.f || document.activeElement.tagName"
    )


def saved(page, product: str, name: str, text: str) -> None:
    """Wait until a cell shows what the server answered."""
    found = cell(page, product, name)
    found.and_(page.locator(":not(.is-saving):not(.is-editing)")).filter(has_text=text).wait_for()


def test_typed_tab_saved_and_the_state_and_the_badge_are_right_at_once(register):
    visitor = register()
    page = visitor.page
    assert (badge(page), row(page, "Drive").locator("[data-state]").inner_text()) == ("5", "Incomplete")
    page.evaluate("window.isTheSamePage = true")
    cell(page, "Drive", "amount").click()
    page.keyboard.type("1250.5")
    page.keyboard.press("Tab")
    saved(page, "Drive", "amount", "1,250.50")
    assert focused(page) == "currency"
    cell(page, "Drive", "cardholder_name").click()
    page.keyboard.type("Jane Doe")
    page.keyboard.press("Tab")
    row(page, "Drive").locator("[data-state]", has_text="Complete").wait_for()
    page.wait_for_function(
        "() => document.querySelector(\".nav a[href='/payments/list/'] .count\").firstChild.textContent === '4'"
    )
    assert page.locator("[data-count-of=incomplete]").inner_text() == "4"
    assert "1,650.50" in page.locator("[data-totals]").inner_text()
    assert page.evaluate("window.isTheSamePage")
    page.reload()
    assert cell(page, "Drive", "amount").inner_text() == "1,250.50"
    assert visitor.complaints == []


def test_keyboard_goes_everywhere_and_leaves_again(register):
    visitor = register()
    page = visitor.page
    cell(page, "Drive", "amount").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == "currency"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    assert focused(page) == "notice_days"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    # Typing starts anew, Enter on a cell keeps what stands there; Enter saves and goes down.
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    saved(page, "Drive", "amount", "7.00")
    assert (
        page.evaluate("document.activeElement.parentElement.querySelector('.row-link').textContent")
        == "Gmail"
    )
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.value") == "100.00"
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "notice_days"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    saved(page, "Drive", "auto_renew", "No")
    page.keyboard.press("Escape")
    assert page.evaluate("'after' in document.activeElement.dataset")
    page.locator("tr[data-row]").last.locator("td[data-f=notice_days]").focus()
    page.keyboard.press("Tab")
    assert focused(page) == "A"
    assert visitor.complaints == []


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (1440, False), (360, False)])
def test_table_fits_its_window_also_while_it_is_typed_into(register, width, dark):
    page = register(width=width, dark=dark).page
    fits = "() => ((w) => w.scrollWidth <= w.clientWidth)(document.querySelector('.data-wrap'))"
    assert page.evaluate(fits)
    for name, typed in (("payment_method", "A method that has quite a long name"), ("notice_days", "99999")):
        cell(page, "Gmail", name).click()
        page.keyboard.press("Control+A")
        page.keyboard.type(typed)
        assert page.evaluate(fits)
    page.keyboard.press("Enter")
    cell(page, "Gmail", "notice_days").get_by_role("alert").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(fits)


def test_escape_takes_it_back(register):
    page = register().page
    cell(page, "Gmail", "cardholder_name").click()
    page.keyboard.type("Nobody")
    page.keyboard.press("Escape")
    assert cell(page, "Gmail", "cardholder_name").inner_text() == ""
    assert focused(page) == "cardholder_name"
    page.reload()
    assert cell(page, "Gmail", "cardholder_name").inner_text() == ""


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("amount", "-5", "An amount can't be negative."),
        ("expiry_date", "31/12/2031", "Enter a date as YYYY-MM-DD."),
        ("card_last4", "4111 1111 1111 1111", "the number of a payment card"),
        ("currency", "XXQ", "Enter the code of a currency"),
    ],
)
def test_error_stands_at_the_cell_and_keeps_what_was_typed(register, name, typed, said):
    visitor = register()
    page, bad = visitor.page, cell(visitor.page, "Gmail", name)
    before = bad.inner_text()
    bad.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(typed)
    page.keyboard.press("Tab")
    bad.get_by_role("alert").filter(has_text=said).wait_for()
    assert bad.locator("input").input_value() == typed
    assert bad.locator("input").get_attribute("aria-invalid") == "true"
    # The focus went on, and a change of another cell leaves the refused one alone.
    assert page.evaluate("!document.activeElement.closest('.is-bad')")
    cell(page, "Gmail", "notice_days").click()
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    saved(page, "Gmail", "notice_days", "30 days")
    assert bad.locator("input").input_value() == typed
    bad.locator("input").focus()
    page.keyboard.press("Escape")
    assert bad.inner_text() == before
    assert visitor.complaints == []


@pytest.mark.parametrize("keep", [True, False])
def test_second_of_two_windows_is_told_and_chooses(register, window, keep):
    first, second = register(), window("root")
    second.open("/payments/list/")
    for name, typed in (("amount", "20"), ("payment_method", "Invoice")):
        cell(first.page, "Gmail", name).click()
        first.page.keyboard.press("Control+A")
        first.page.keyboard.type(typed)
        first.page.keyboard.press("Tab")
        saved(first.page, "Gmail", name, typed)
    page = second.page
    cell(page, "Gmail", "amount").click()
    page.keyboard.press("Control+A")
    page.keyboard.type("30")
    page.keyboard.press("Enter")
    told = page.locator("[data-clash]")
    told.get_by_text("Root has changed this row since you loaded it.").wait_for()
    assert "Amount is now 20.00, you wrote 30. Also: Method is now Invoice." in told.inner_text()
    assert cell(page, "Gmail", "payment_method").inner_text() == "Invoice"
    told.get_by_role("button", name="Keep mine: 30" if keep else "Take theirs: 20.00").click()
    saved(page, "Gmail", "amount", "30.00" if keep else "20.00")
    assert page.locator("[data-clash]").count() == 0
    first.page.reload()
    assert cell(first.page, "Gmail", "amount").inner_text() == ("30.00" if keep else "20.00")
    assert second.complaints == []


def test_ended_session_keeps_what_was_typed(register):
    page = register().page
    page.context.clear_cookies()
    cell(page, "Gmail", "cardholder_name").click()
    page.keyboard.type("Jane")
    page.keyboard.press("Tab")
    cell(page, "Gmail", "cardholder_name").get_by_role("alert").filter(has_text="Not saved").wait_for()
    assert cell(page, "Gmail", "cardholder_name").locator("input").input_value() == "Jane"


def renew_a_card(visitor) -> None:
    """From the selection over the preview to the change."""
    page = visitor.page
    for product in PRODUCTS:
        row(page, product).locator("[data-check]").check()
    page.get_by_role("button", name="Change selected").click()
    page.get_by_role("heading", name="Change 3 payments").wait_for()
    page.get_by_label("Holder").fill("Nora Lind")
    page.get_by_label("Expires").fill("2039-03-31")
    page.get_by_label("Card ends in").fill("9753")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("heading", name="3 of 3 would change").wait_for()
    assert page.locator("ins", has_text="Nora Lind").count() == 3
    assert page.locator("del", has_text="4242").count() == 3
    # What would stay the same is no change.
    assert page.locator("ins", has_text="31 Mar 2039").count() == 0
    page.get_by_role("button", name="Change 3 payments").click()
    page.get_by_text("3 payments changed.").wait_for()
    for product in PRODUCTS:
        assert row(page, product).locator("[data-state]").inner_text() == "Complete"
        assert cell(page, product, "card_last4").inner_text() == "9753"


@pytest.mark.parametrize(
    ("width", "dark", "scripts"), [(1280, False, True), (360, True, True), (1280, False, False)]
)
def test_renewed_card_is_entered_for_all_its_products(register, width, dark, scripts):
    visitor = register(width=width, dark=dark, scripts=scripts)
    if width == 360:
        assert visitor.fits()
    renew_a_card(visitor)
    assert visitor.complaints == []
    assert visitor.strangers == []


def test_filters_narrow_and_sorting_stays(register):
    visitor = register()
    page = visitor.page
    page.get_by_role("link", name="Product", exact=True).click()
    page.wait_for_url(lambda url: "sort=product" in url)
    page.select_option("[name=currency]", "EUR")
    page.wait_for_url(lambda url: "currency=EUR" in url)
    assert "sort=product" in page.url
    page.click(".filter-pick:has([name=service]) .select2-selection")
    page.fill(".select2-search__field", "goog")
    page.click(".select2-results__option:has-text('Google Workspace')")
    page.wait_for_url(lambda url: "service=" in url)
    assert page.locator(".row-link").all_inner_texts() == ["Drive", "Gmail"]
    page.locator(".reg-states a", has_text="Complete").last.click()
    page.get_by_text("No payment fits all of these filters.").wait_for()
    page.get_by_role("link", name="Clear the filters").click()
    page.wait_for_url(lambda url: "service=" not in url)
    assert page.locator(".row-link").count() == 5
    page.fill("[name=q]", "copi")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "q=copi" in url)
    assert page.locator(".row-link").all_inner_texts() == ["Copilot"]
    assert visitor.complaints == []


def test_without_scripts_a_row_has_its_form_and_the_second_is_told(register, window):
    first, second = register(scripts=False), window("root", scripts=False)
    for visitor in (second, first):
        visitor.open("/payments/list/")
        visitor.page.get_by_role("link", name="Edit Gmail in a form").click()
    first.page.get_by_label("Amount").fill("20")
    first.page.get_by_role("button", name="Save").click()
    first.page.get_by_text("Saved.").wait_for()
    page = second.page
    page.get_by_label("Amount").fill("30")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Root has changed this to 20.00. Save again to keep yours.").first.wait_for()
    assert page.get_by_label("Amount").input_value() == "30"
    page.get_by_role("button", name="Save").click()
    assert cell(page, "Gmail", "amount").inner_text() == "30.00"


def test_touch_edits_a_card_of_the_narrow_page(register):
    visitor = register(width=360)
    page = visitor.page
    cell(page, "Gmail", "cardholder_name").click()
    page.keyboard.type("Jane Doe")
    page.keyboard.press("Tab")
    saved(page, "Gmail", "cardholder_name", "Jane Doe")
    assert visitor.fits()
    assert visitor.complaints == []
