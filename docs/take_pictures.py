"""Takes the pictures of the documentation from a running demo, into `docs/images`.

    python -m docs.take_pictures http://127.0.0.1:8000 [--only NAME]

The administrator's password is read from `data/secrets`, where a start without ADMIN_PASSWORD keeps it. Needs the development
requirements and Chromium, which also makes WebP of what it photographed.
"""

import argparse
import base64
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "images"
SIZE = {"width": 1280, "height": 760}
ADMIN, DEMO_PASSWORD = "admin@portalops.local", "portalops demo"
TO_WEBP = """async png => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const canvas = Object.assign(document.createElement('canvas'), {width: image.width, height: image.height});
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/webp', 0.82).split(',')[1];
}"""


def _nothing(_page: Page) -> None:
    """The page as it opens."""


@dataclass(frozen=True)
class Picture:
    """Whose window, where, and what they do there before the picture is taken."""

    name: str
    path: str
    who: str = "admin"
    prepare: Callable[[Page], None] = _nothing


def _open_task(page: Page) -> None:
    page.locator("[data-rows] a", has=page.locator("text=In progress")).first.click()
    page.locator("[data-part]").wait_for()


def _first_row(page: Page) -> None:
    page.locator("main a.row-link").first.click()
    page.wait_for_load_state()


PICTURES = [
    Picture("inbox", "/inbox/", "alice", _open_task),
    Picture("start", "/"),
    Picture("case", "/cases/list/", prepare=_first_row),
    Picture("templates", "/templates/list/"),
    Picture("people", "/people/list/"),
    Picture("person", "/people/list/", prepare=_first_row),
    Picture("services", "/services/list/"),
    Picture("who-administers-what", "/assignments/list/"),
    Picture("access", "/grants/list/"),
    Picture("register", "/payments/list/"),
    Picture("import", "/payments/imports/"),
    Picture("renewals", "/renewals/"),
    Picture("spend", "/spend/"),
    Picture("reminders", "/reminders/", "alice"),
    Picture("reminder-rules", "/reminder-rules/"),
    Picture("absences", "/absences/list/", "alice"),
    Picture("notifications", "/me/notifications/", "alice"),
    Picture("messages", "/messages/"),
    Picture("event-types", "/webhooks/events"),
    Picture("schedule", "/schedule/"),
    Picture("audit-log", "/audit/"),
    Picture("tokens", "/me/tokens/", "alice"),
]


def take(address: str, password: str, only: str | None) -> None:
    """Every picture, or the one of this name."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for who in ("alice", "admin"):
            wanted = [each for each in PICTURES if each.who == who and only in {None, each.name}]
            if wanted:
                page = _signed_in(browser, address, who, password)
                for picture in wanted:
                    _take(page, address, picture)
        browser.close()


def _signed_in(browser: Browser, address: str, who: str, password: str) -> Page:
    context = browser.new_context(viewport=SIZE, color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}/login/")
    page.fill("[name=username]", ADMIN if who == "admin" else f"{who}@larkspur.example")
    page.fill("[name=password]", password if who == "admin" else DEMO_PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def _take(page: Page, address: str, picture: Picture) -> None:
    page.goto(address + picture.path)
    picture.prepare(page)
    page.mouse.move(SIZE["width"] - 1, SIZE["height"] - 1)
    page.wait_for_load_state()
    png = base64.b64encode(page.screenshot()).decode()
    # A page of its own: the portal's content policy lets nobody make pictures in it.
    blank = page.context.new_page()
    (FOLDER / f"{picture.name}.webp").write_bytes(base64.b64decode(blank.evaluate(TO_WEBP, png)))
    blank.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Take the pictures of the documentation from a running demo."
    )
    parser.add_argument("address")
    parser.add_argument("--only", choices=[picture.name for picture in PICTURES])
    parser.add_argument("--password-file", type=Path, default=ROOT / "data" / "secrets" / "admin_password")
    given = parser.parse_args()
    take(given.address.rstrip("/"), given.password_file.read_text(encoding="utf-8").strip(), given.only)


if __name__ == "__main__":
    main()
