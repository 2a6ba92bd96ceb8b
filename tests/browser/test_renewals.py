"""The calendar of renewals in a browser: from month to day, and an address for calendar programs made and revoked."""

import urllib.request
from urllib.error import HTTPError

import pytest


@pytest.fixture
def renewing(portal):
    """Gmail renews in January 2031."""
    token = portal.token_of("root")
    sent = portal.send(
        "PUT",
        "/api/payment-register/1",
        {"nextRenewalDate": "2031-01-31", "renewalFrequency": "monthly"},
        token=token,
    )
    assert sent.status == 204


def test_month_leads_to_its_day_and_to_the_next_month(window, renewing):
    admin = window("root")
    admin.open("/renewals/?month=2031-01")
    admin.page.click(".cal-chip--renewal")
    assert "day=2031-01-31" in admin.page.url
    assert admin.page.locator("#agenda h2").inner_text() == "Friday, 31 January 2031"
    admin.page.click("[rel=next]")
    assert admin.page.locator(".cal-months h2").inner_text() == "February 2031"
    assert admin.page.locator(".agenda-title").count() == 1
    assert admin.complaints == []


def test_narrow_screen_has_the_list_and_no_grid(window, renewing):
    admin = window("root", width=360)
    admin.open("/renewals/?month=2031-01")
    assert not admin.page.locator(".cal").is_visible()
    assert admin.page.locator(".agenda-title").first.is_visible()


def test_address_is_made_used_and_revoked(window, renewing):
    admin = window("root")
    admin.open("/renewals/feed/")
    admin.page.check("[value=all]")
    admin.page.click("text=Make the address")
    address = admin.page.input_value("[data-copy-from]")
    with urllib.request.urlopen(address) as answer:
        assert answer.read().startswith(b"BEGIN:VCALENDAR")
    admin.page.click("text=Revoke")
    admin.page.click("#confirm-dialog [data-ok]")
    admin.page.wait_for_selector("text=The address is revoked.")
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(address)
    assert refused.value.code == 404
    assert admin.complaints == []
