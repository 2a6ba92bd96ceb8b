"""Headless Chromium against the real portal, with the cast's world and two joiners in it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.foundation.embedded.running import Engines
from tests import cast
from tests.deployment import Deployment
from tests.runtime.processes import wait_until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def portal(
    engines: Engines, templates: Callable[[str, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    templates("cast", "browsing")
    with Deployment(tmp_path_factory.mktemp("portal"), engines.postgres.url_of("browsing")) as deployment:
        deployment.start("redis", "worker", "web")
        for name in ("Jane Doe", "John Smith"):
            email = f"{name.lower().replace(' ', '.')}@example.com"
            deployment.hr("onboarding", name=name, email=email, department="Engineering")
        token = deployment.token_of("root")
        wait_until(lambda: deployment.get("/api/v1/tasks/", token=token).json["count"] == 6)
        yield deployment


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert CHROMIUM, "install Chromium: apt-get install -y chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Window:
    """A window of somebody signed in, which keeps what the browser complained about and whom it asked."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.base = base
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message) -> None:
        # Chromium reports every answer of 400 and above as an error; the tests look at the answers themselves.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(f"{self.page.url}: {message.text}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.strangers.append(request.url)

    def open(self, path: str):
        return self.page.goto(self.base + path)

    def fits(self) -> bool:
        """Nothing reaches beyond the window: of a page that has its styles, so that one just gone to is waited for."""
        self.page.wait_for_load_state("load")
        return self.page.evaluate("document.documentElement.scrollWidth") <= self.page.viewport_size["width"]

    def sign_in(self, name: str) -> None:
        self.open("/login/")
        self.page.fill("[name=username]", f"{name}@example.com")
        self.page.fill("[name=password]", cast.PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_url(lambda url: "/login" not in url)


@pytest.fixture
def window(chromium: Browser, portal: Deployment) -> Iterator[Callable[..., Window]]:
    """`window("bob", width=360, dark=True, scripts=False)`."""
    contexts = []

    def make(name: str, *, width: int = 1280, dark: bool = False, scripts: bool = True) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        opened = Window(context, f"http://127.0.0.1:{portal.port}")
        opened.sign_in(name)
        return opened

    yield make
    for context in contexts:
        context.close()
