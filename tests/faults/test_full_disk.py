"""No space left where invoices and imports lie: a clear 503, nothing half done, and all is well once there is room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsing import Browser, Page
from tests.deployment import Deployment
from tests.payments.files import png

pytestmark = pytest.mark.faults

# Its own small file system, which needs no right of root: a namespace in which the process may mount.
SMALL = [
    "unshare",
    "--user",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o size=1m tmpfs "$0" && exec "$@"',
]
COUNTS = "SELECT (SELECT count(*) FROM payments_made), (SELECT count(*) FROM invoices)"
PAID = {"paid_on": "2026-03-01", "amount": "12.00", "currency": "USD", "period_start": "2026-03-01"}
PAID |= {"period_end": "2026-03-31", "method": "Invoice", "note": ""}


class Cramped(Deployment):
    """Its web process finds a megabyte in the folder of attachments."""

    @property
    def attachments(self) -> Path:
        return self.folder / "data" / "attachments"

    def _command(self, name: str) -> list[str]:
        command = super()._command(name)
        return [*SMALL, str(self.attachments), *command] if name == "web" else command

    @property
    def inside(self) -> Path:
        """The folder as the web process sees it."""
        return Path(f"/proc/{self.running['web'].pid}/root{self.attachments}")


@pytest.fixture
def cramped(house: Deployment, tmp_path: Path) -> Iterator[Cramped]:
    house.revive("postgres", "redis")
    deployment = Cramped(tmp_path, house.database_url)
    deployment.env["REDIS_URL"] = house.redis.url
    deployment.attachments.mkdir(parents=True, mode=0o700)
    try:
        deployment.start("web")
        yield deployment
    finally:
        deployment.end()


def record(browser: Browser, product: int) -> Page:
    """Write down a payment with an invoice of a picture's size."""
    page = browser.get(f"/payments/products/{product}")
    return browser.upload(
        page, page.form_with("paid_on", "amount"), "invoices", ("invoice.png", png()), **PAID
    )


def test_full_disk_is_said_and_nothing_is_kept_of_what_did_not_fit(cramped):
    browser = Browser(f"http://127.0.0.1:{cramped.port}")
    browser.sign_in("first")
    product, before = cramped.one("SELECT min(id) FROM products"), cramped.rows(COUNTS)
    filler = cramped.inside / "filler"
    with pytest.raises(OSError, match="No space left"):
        filler.write_bytes(bytes(2_000_000))

    refused = record(browser, product)
    assert (refused.status, int(refused.headers["Retry-After"]) > 0) == (503, True)
    assert refused.headers["Content-Type"].startswith("text/html")
    assert "Traceback" not in refused.html
    assert cramped.rows(COUNTS) == before
    assert [file.name for file in cramped.inside.iterdir()] == ["filler"]
    assert browser.get(f"/payments/products/{product}").status == 200, "what needs no room goes on"

    filler.unlink()
    assert record(browser, product).status == 200
    [[paid, invoices]] = before
    assert cramped.rows(COUNTS) == [(paid + 1, invoices + 1)]
    [kept] = cramped.inside.iterdir()
    assert kept.read_bytes() == png()
