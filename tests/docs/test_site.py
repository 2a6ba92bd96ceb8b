"""The site of the documentation: built strictly, every page in its navigation, nothing from another host."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docs.settings_page import REQUIRED, groups, undocumented
from tests.architecture.sources import ROOT
from tests.runtime.test_config import faults

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}


class Assets(HTMLParser):
    """What a browser fetches by itself when it opens the page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in LOADED and LOADED[tag] in given:
            self.found.append(given[LOADED[tag]])
        if tag == "link" and given.get("rel") not in {"canonical", "next", "prev"}:
            self.found.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A broken link, anchor or navigation entry is a warning, and a warning fails the strict build."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_load_nothing_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert {"index.html", "settings.html", "changelog.html"} <= {page.name for page in pages}
    for page in pages:
        assets = Assets()
        assets.feed(page.read_text(encoding="utf-8"))
        assert [url for url in assets.found if "//" in url] == [], page
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert not [style for style in styles if "@import" in style or "url(http" in style or "url(//" in style]


def test_programs_of_the_site_are_no_pages(site: Path) -> None:
    assert list(site.rglob("*.py")) == []


def test_every_setting_is_explained() -> None:
    assert undocumented() == set()


def test_settings_have_the_words_that_stand_above_them() -> None:
    rows = [row for _, rows in groups() for row in rows]
    [timezone] = [text for given, text in rows if "TIMEZONE" in given]
    assert timezone.startswith('What "9:00" means in schedules')
    assert {"SMTP_HOST": "", "SMTP_PORT": "587"}.items() <= next(
        given.items() for given, _ in rows if "SMTP_HOST" in given
    )


def test_what_production_requires_is_named(tmp_path: Path) -> None:
    assert faults({"ENVIRONMENT": "production", "DATA_DIR": str(tmp_path / "no")}).keys() == set(REQUIRED)
