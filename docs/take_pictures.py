"""Takes the pictures of the README from a running demo: `python docs/take_pictures.py http://127.0.0.1:8000`.

Needs the development requirements and Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent / "images"
SIZE = {"width": 1280, "height": 760}


def take(address: str) -> None:
    """The inbox of the demo's alice, with a task open beside the list."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(f"{address}/login/")
        page.fill("[name=username]", "alice@larkspur.example")
        page.fill("[name=password]", "portalops demo")
        page.click("main button[type=submit]")
        page.goto(f"{address}/inbox/")
        page.locator("[data-rows] a", has=page.locator("text=In progress")).first.click()
        page.locator("[data-part]").wait_for()
        page.mouse.move(SIZE["width"] - 1, SIZE["height"] - 1)
        page.wait_for_timeout(500)
        page.screenshot(path=FOLDER / "inbox.png")
        browser.close()


if __name__ == "__main__":
    take(sys.argv[1].rstrip("/"))
