"""Pages need nothing from another host, and run no script that is not ours."""

import re
from html.parser import HTMLParser

import pytest

from tests.architecture.sources import APP

TEMPLATES = sorted((APP / "templates").rglob("*.html"))
STYLES = sorted((APP / "static").rglob("*.css"))
SCRIPTS = sorted((APP / "static").rglob("*.js"))
LOADS = {
    "script",
    "link",
    "img",
    "iframe",
    "source",
    "video",
    "audio",
    "object",
    "embed",
    "form",
    "use",
    "image",
    "base",
}
ADDRESSES = {"src", "href", "action", "srcset", "data", "poster", "formaction", "xlink:href", "background"}
FOREIGN = re.compile(r"\s*(https?:)?//", re.IGNORECASE)


class Page(HTMLParser):
    """Collects what a page loads from elsewhere, and what a strict policy would stop."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        for name, value in given.items():
            if name.startswith("on"):
                self.faults.append(f"<{tag} {name}> is an inline handler")
            if name in ADDRESSES and (value or "").strip().lower().startswith("javascript:"):
                self.faults.append(f"<{tag} {name}={value}> is an inline script")
            if tag in LOADS and name in ADDRESSES and FOREIGN.match(value or ""):
                self.faults.append(f"<{tag} {name}={value}> is loaded from elsewhere")
        if tag == "script" and not given.get("nonce"):
            self.faults.append(f"<script {given}> has no nonce")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(APP)))
def test_template_is_clean(path):
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert re.findall(r"<script(?![^>]*nonce)[^>]*>", text) == []
    assert re.findall(r"""<[^>]*\son[a-z]+\s*=\s*["'][^>]*>""", text) == []
    assert (
        re.findall(r"""(?:src|srcset|action|poster|data-src)\s*=\s*["']?(?:https?:)?//[^"'\s]*""", text) == []
    )
    assert re.findall(r"""<link[^>]*href\s*=\s*["']?(?:https?:)?//[^"'\s]*""", text) == []
    assert re.findall(r"""<a[^>]*href\s*=\s*["'](?:https?:)?//[^"'\s{]*""", text) == []
    assert "javascript:" not in text


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_stylesheet_loads_nothing_from_elsewhere(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"""url\(\s*["']?(?:https?:)?//[^)]*""", text) == []
    assert re.findall(r"@import[^;]*//[^;]*", text) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_script_talks_to_no_other_host_and_makes_no_code(path):
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"""["'`](?:https?:)?//[^"'`]*""", text.replace("http://www.w3.org/", "")) == []
    assert re.findall(r"\beval\(|new Function\(|document\.write\(|setTimeout\(\s*[\"'`]", text) == []


def test_rendered_pages_are_clean(root, alice, nobody, app):
    """FAB's own templates included."""
    faults = {}
    for rule in app.url_map.iter_rules():
        if (
            "GET" in rule.methods
            and not rule.rule.startswith("/api/")
            and not rule.endpoint.endswith("static")
        ):
            path = re.sub(r"<[^>]*pk>", "1", rule.rule)
            for visitor in (root, alice, nobody):
                answer = visitor.get(re.sub(r"<[^>]*>", "x", path))
                if answer.mimetype == "text/html" and answer.status_code != 302:
                    found = Page(answer.text).faults
                    faults |= {f"{visitor.name} {path}": found} if found else {}
    assert faults == {}
