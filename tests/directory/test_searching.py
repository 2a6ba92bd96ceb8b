"""People are found by any part of their texts, as a look at every row would find them, and without one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, or_, select, text

from app.directory import queries
from app.directory.models import Department, Person
from app.directory.schemas import USER_COLUMNS
from app.foundation.database import db
from app.foundation.paging import page_of
from app.foundation.scoping import unscoped
from app.foundation.viewer import viewing_as
from tests.cast import NAMES

# Few letters, so that they meet again: both cases, letters whose lower case is longer or has two forms, wild cards.
LETTERS = "aAbB %_\\/'\".@-éÉßİıΣσς\u0301文🙂"
words = st.text(
    st.one_of(st.sampled_from(LETTERS), st.characters(exclude_categories=("Cs", "Cc"))), max_size=9
)
names = words.filter(lambda word: word.strip(" "))
people = st.lists(st.tuples(names, words, st.none() | words, st.booleans()), min_size=1, max_size=6)

MANY = """
    INSERT INTO users (name, email, department_id, active, created_at, updated_at)
    SELECT 'Person ' || md5(n::text), 'number.' || n || '@many.example', :department, true, now(), now()
    FROM generate_series(1, 3000) AS n
"""


def found(needle: str) -> list[int]:
    query, values = queries.people_matching(needle, Person.id)
    return list(db.session.scalars(query, values))


def looked_for(needle: str) -> list[int]:
    """As it says in the contract: part of a name, an e-mail or a department, in any case."""
    fields = (Person.name, Person.email, Department.name, Person.department_given)
    query = select(Person.id).outerjoin(Person.department).order_by(func.lower(Person.name), Person.id)
    return list(
        db.session.scalars(query.where(or_(*(field.icontains(needle, autoescape=True) for field in fields))))
    )


def add(rows, department: str) -> None:
    known = Department(name=department)
    db.session.add(known)
    db.session.flush()
    for number, (name, email, given_department, is_member) in enumerate(rows):
        db.session.add(
            Person(
                name=name,
                email=f"{email}{number}@x",
                department_given=given_department,
                department_id=known.id if is_member else None,
            )
        )
    db.session.flush()


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(rows=people, department=names, cut=st.data())
def test_search_finds_what_a_look_at_every_row_finds(context, rows, department, cut):
    texts = [department, *(part for row in rows for part in row[:3] if part)]
    whole = cut.draw(st.sampled_from(texts) | words.filter(bool))
    start = cut.draw(st.integers(0, len(whole) - 1))
    needle = cut.draw(st.sampled_from([str, str.upper, str.lower, str.swapcase]))(whole[start:])
    with db.session.begin_nested() as savepoint:
        add(rows, department)
        assert found(needle) == looked_for(needle)
        savepoint.rollback()


@pytest.mark.parametrize("needle", ["DORA", "dora@", "engineer", "ora", "do", "ENGINEERING", "example.com"])
def test_search_shows_those_whom_the_viewer_may_see(context, viewer_of, needle):
    with unscoped():
        everybody = looked_for(needle)
    assert everybody
    for name in NAMES:
        viewer = viewer_of(name)
        with viewing_as(viewer):
            assert found(needle) == looked_for(needle)
            assert found(needle) == (
                [one for one in everybody if one == viewer.id] if name == "charlie" else everybody
            )


@pytest.fixture
def many(context):
    department = db.session.scalar(select(Department.id).where(Department.name == "Sales"))
    db.session.execute(text(MANY), {"department": department})
    db.session.commit()
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE users"))


# Of one, of nobody, of everybody; the last two name a department too, in which are many and nobody.
@pytest.mark.parametrize("needle", ["number.1700@", "nobody at all", "@many.example", "sales", "engineering"])
def test_search_asks_the_index_whatever_it_is_for(many, explained, needle):
    query, values = queries.people_matching(needle, *USER_COLUMNS)
    for page in (1, 2):
        plans = explained(lambda page=page: page_of(query, page, 20, **values))
        assert all("Index Scan on ix_users_trigrams" in plan for plan in plans)
    assert found(needle) == looked_for(needle)
