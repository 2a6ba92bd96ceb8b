"""Values on pages: each kind as people read it, and nobody's text as markup."""

from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from types import SimpleNamespace

import pytest
from markupsafe import Markup

from app.values import KEY, day, row_address, status_pill, value


class State(StrEnum):
    IN_PROGRESS = "in_progress"


class Plain(Enum):
    ONE = "one-thing"


NONE = '<span class="none">\u2013</span>'
EVIL, SAFE = "<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"


class Row(SimpleNamespace):
    def __str__(self) -> str:
        return self.name


@pytest.fixture(autouse=True)
def request_of_somebody(one_app):
    with one_app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("shown", "name", "html"),
    [
        (None, "name", NONE),
        ("", "status", NONE),
        ([], "products", NONE),
        (EVIL, "name", SAFE),
        (Markup("<i>ours</i>"), "name", "<i>ours</i>"),
        (0, "count", "0"),
        (Decimal("1.50"), "amount", "1.50"),
        (True, "auto_renew", '<span class="bool bool--yes">Yes</span>'),
        (False, "active", '<span class="pill pill--gray" data-value="inactive">Inactive</span>'),
        ("overdue", "task.state", '<span class="pill pill--red" data-value="overdue">Overdue</span>'),
        (State.IN_PROGRESS, "x", '<span class="pill pill--blue" data-value="in_progress">In progress</span>'),
        (Plain.ONE, "x", '<span class="pill pill--gray" data-value="one_thing">One-thing</span>'),
        ("member", "level", "Member"),
        ("manual", "source", "Manual"),
        ("Workday", "source", "Workday"),
        ("https://a.example b", "url", "https://a.example b"),
        ("javascript://x", "url", "javascript://x"),
        (date(2026, 3, 1), "day", '<time datetime="2026-03-01">1 Mar 2026</time>'),
        ({"b": 1, "a": "<"}, "before", '<pre>{\n  "a": "\\u003c",\n  "b": 1\n}</pre>'),
        (
            ["a", EVIL],
            "x",
            f'<span class="chips"><span class="chip">a</span><span class="chip">{SAFE}</span></span>',
        ),
    ],
)
def test_value_is_shown_as_people_read_it(shown, name, html):
    assert value(shown, name) == html
    assert isinstance(value(shown, name), Markup)


def test_web_address_is_a_link_without_its_scheme():
    shown = str(value('https://a.example/"><script>/', "url"))
    assert shown.startswith('<a class="out" href="https://a.example/&#34;&gt;&lt;script&gt;/"')
    assert ">a.example/&#34;&gt;&lt;script&gt;<svg" in shown


def test_list_in_a_cell_says_how_many_more_there_are():
    assert value(["a", "b"], "x", 3) == "a, b"
    assert value(["a", "b", EVIL, "d"], "x", 2) == (
        f'<span title="a, b, {SAFE}, d">a, b <span class="more">+2</span></span>'
    )


def test_row_is_a_link_where_its_page_is_known():
    row = Row(id=7, name=EVIL)
    assert value(row) == SAFE
    assert value(row, "service", 3, f"/services/show/{KEY}") == f'<a href="/services/show/7">{SAFE}</a>'
    assert value([row], "services", 3, f"/services/show/{KEY}") == f'<a href="/services/show/7">{SAFE}</a>'


def test_address_of_rows_is_told_to_nobody_who_is_not_signed_in():
    assert row_address("Product") == row_address("Nonsense") == ""


def test_moment_is_on_the_company_s_clock():
    moment = datetime(2026, 1, 1, 23, 30, tzinfo=UTC)
    assert day(moment).startswith('<time datetime="2026-01-01T23:30:00+00:00">')
    assert day(None, "never") == '<span class="none">never</span>'
    assert (
        status_pill("x", label=EVIL, tone="red")
        == f'<span class="pill pill--red" data-value="x">{SAFE}</span>'
    )
