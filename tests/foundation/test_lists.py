"""Pages and the generated API list in the same order, whole, and in as many statements however long the table is."""

import re

import pytest
from sqlalchemy import insert

from app.foundation.database import db
from app.inventory.models import Product

# Whom the viewer is, the rows with their number, and what waits in the navigation.
STATEMENTS = 3
NAMES = ["beta", "Alpha", "gamma", "ALPHA 2", "Beta 2"]


@pytest.fixture
def many(context, world):
    """60 products, of services that alice does not administer."""
    rows = [
        {"service_id": world.services["Slack"], "name": f"{name} {n:02}"} for n in range(12) for name in NAMES
    ]
    db.session.execute(insert(Product), rows)
    db.session.commit()


def names_of_page(visitor, query):
    page = visitor.get(f"/products/list/?{query}")
    assert page.status_code == 200
    return re.findall(r'class="row-link" href="[^"]+">([^<]+)<', page.text)


def names_of_api(visitor, query):
    return [row["name"] for row in visitor.api("GET", f"products/?q=({query})").json["result"]]


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_names_are_in_the_order_that_people_look_for_them(root, many, direction):
    pages = [
        names_of_page(
            root,
            f"psize_ProductView=30&page_ProductView={n}&_oc_ProductView=name&_od_ProductView={direction}",
        )
        for n in range(4)
    ]
    assert [len(page) for page in pages] == [30, 30, 5, 0]
    found = [name for page in pages for name in page]
    assert found == sorted(found, key=str.lower, reverse=direction == "desc")
    ordered = f"order_column:name,order_direction:{direction},page_size:100"
    assert names_of_api(root, ordered) == found


def test_filtered_list_has_pages_and_a_number_of_its_own(root, many):
    page = root.get("/products/list/?_flt_2_name=alpha 2&psize_ProductView=5&page_ProductView=2")
    assert "11\u201312 of 12" in page.text
    assert names_of_page(root, "_flt_2_name=alpha 2&psize_ProductView=5&page_ProductView=2") == [
        "ALPHA 2 10",
        "ALPHA 2 11",
    ]


def test_list_has_the_rows_that_its_viewer_sees(alice, bob, many):
    assert [names_of_page(one, "psize_ProductView=100") for one in (alice, bob)] == [
        ["Drive", "Gmail"],
        ["GitHub Enterprise", "Slack Business"],
    ]


@pytest.mark.parametrize("page", [0, 2])
def test_statements_of_a_list_do_not_grow_with_it(root, many, statements, page):
    address = f"psize_ProductView=20&page_ProductView={page}"
    names_of_page(root, address)
    with statements() as seen:
        names_of_page(root, address)
    assert len(seen) == STATEMENTS, seen


def test_name_of_a_row_is_text_in_its_buttons_too(root, context, world):
    name = "0-key-0 0-name-0 \"><script>alert('x')</script>"
    db.session.execute(insert(Product), [{"service_id": world.services["Slack"], "name": name}])
    db.session.commit()
    page = root.get("/products/list/?_flt_2_name=alert").text
    shown = "0-key-0 0-name-0 &#34;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"
    assert f">{shown}</a>" in page
    assert 'aria-label="Edit 0-key-0 0-name-0 &#34;&gt;alert' in page
    assert "<script>alert" not in page
