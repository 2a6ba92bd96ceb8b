"""A payment is recorded with its invoice, corrected, and seen in the report of spend; also without scripts."""

import pytest

from tests.payments.files import pdf, png

pytestmark = pytest.mark.browser


def record(visitor, amount: str, *files: tuple[str, str, bytes]) -> None:
    page = visitor.page
    page.get_by_label("Amount").fill(amount)
    page.get_by_label("Period from").fill("2026-03-01")
    page.get_by_label("Period to").fill("2026-03-31")
    page.get_by_label("Invoices").set_input_files(
        [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in files]
    )
    page.get_by_role("button", name="Record").click()


def key_of(portal, name: str) -> int:
    found = portal.get("/api/v1/products/?q=(page_size:100)", token=portal.token_of("root")).json["result"]
    return next(one["id"] for one in found if one["name"] == name)


@pytest.mark.parametrize(("scripts", "product"), [(True, "Gmail"), (False, "Copilot")])
def test_payment_is_recorded_with_its_invoice_and_corrected(window, portal, scripts, product):
    root = window("root", scripts=scripts)
    root.open(f"/payments/products/{key_of(portal, product)}")
    record(root, "12.00", ("lie.pdf", "application/pdf", b"<script>alert(1)</script>"))
    root.page.get_by_text("Choose a PDF, a PNG or a JPEG file.").first.wait_for()
    assert root.page.get_by_label("Amount").input_value() == "12.00"

    record(root, "12.00", ("march.pdf", "application/pdf", pdf()), ("paper.png", "image/png", png()))
    root.page.get_by_text("The payment is recorded.").first.wait_for()
    root.page.locator(".payments .row-link").first.click()
    picture = root.page.get_by_alt_text("Preview of paper.png")
    picture.scroll_into_view_if_needed()
    root.page.wait_for_load_state("networkidle")
    assert picture.bounding_box()["width"] > 20
    with root.page.expect_download() as saved:
        root.page.get_by_role("link", name="Download").first.click()
    assert saved.value.suggested_filename == "march.pdf"

    root.page.locator("#correct > summary").click()
    root.page.locator("#correct").get_by_label("Amount").fill("21.00")
    root.page.locator("#correct").get_by_label("Why it is corrected").fill("Digits swapped")
    root.page.get_by_role("button", name="Correct", exact=True).click()
    root.page.locator("del", has_text="12.00").first.wait_for()

    root.open("/spend/?by=services")
    assert root.page.locator("svg.chart").count() == 1
    assert (root.complaints, root.strangers) == ([], [])


@pytest.mark.parametrize("path", ["/spend/", "/spend/?by=people", "/payments/products/{gmail}"])
def test_pages_fit_a_telephone(window, portal, path):
    root = window("root", width=360)
    root.open(path.format(gmail=key_of(portal, "Gmail")))
    root.page.wait_for_load_state("networkidle")
    assert root.fits()
    assert root.complaints == []
