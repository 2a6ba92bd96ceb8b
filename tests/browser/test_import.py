"""An import in a browser: a sheet with faults, then the corrected one, with the page's script and without any."""

import pytest

pytestmark = pytest.mark.browser

HEAD = "Service,Product,Amount,Currency,Holder,Expires"
WRONG = [HEAD, 'Slack,Slack Business,"1.234,56",EUR,Jane Doe,31/12/2031', "Slack,{new},12.00,USD,,"]
RIGHT = [HEAD, "Slack,Slack Business,1234.56,EUR,Jane Doe,2031-12-31", "Slack,{new},12.00,USD,,"]


def upload(page, lines: list[str], new: str) -> None:
    content = "\n".join(lines).format(new=new).encode()
    page.set_input_files("[name=file]", {"name": "payments.csv", "mimeType": "text/csv", "buffer": content})
    page.click("button:has-text('Upload')")
    page.wait_for_selector("#columns")


@pytest.mark.parametrize(
    ("width", "dark", "scripts"), [(1280, False, True), (360, True, True), (1280, False, False)]
)
def test_sheet_with_faults_is_corrected_and_imported(window, width, dark, scripts):
    visitor = window("root", width=width, dark=dark, scripts=scripts)
    page, new = visitor.page, f"Huddles {width} {scripts}"

    visitor.open("/payments/list/")
    page.click("a:has-text('Import')")
    page.wait_for_url("**/payments/imports/")
    assert visitor.fits()
    upload(page, WRONG, new)
    assert page.input_value("#column_2") == "amount"
    assert visitor.fits()
    page.click("text=Show what would happen")
    page.wait_for_selector("text=1 row is refused")
    assert page.locator(".fault").count() == 2
    assert page.locator(".where").all_text_contents() == ["C2", "F2"]
    assert page.get_by_role("button", name="Import 1 row").is_disabled()
    assert visitor.fits()
    visitor.open("/payments/imports/")
    upload(page, RIGHT, new)
    page.click("text=Show what would happen")
    button = page.get_by_role("button", name="Import", exact=False).filter(has_text="row")
    button.wait_for()
    assert page.locator(".changes").first.inner_text() != ""
    button.focus()
    page.keyboard.press("Enter")
    if scripts:
        page.click("dialog button:has-text('Import')")
    page.wait_for_selector("text=imported")
    page.wait_for_selector(".alert-success")
    visitor.open(f"/payments/list/?q={new.replace(' ', '+')}")
    page.wait_for_selector(f"text={new}")
    assert visitor.complaints == []
    assert visitor.strangers == []
