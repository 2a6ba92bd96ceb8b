"""A constraint that can refuse what somebody typed has a name, and words for the field it is about."""

import pytest
from sqlalchemy import CheckConstraint, UniqueConstraint

from app.foundation.database import db


def own_tables():
    """Every table that is not FAB's."""
    from app import factory  # noqa: F401, PLC0415 - importing it maps every model

    return [table for table in db.metadata.sorted_tables if not table.name.startswith("ab_")]


def rules():
    """(table, rule) of every unique and check constraint and unique index."""
    found = []
    for table in own_tables():
        rules_of_table = [
            rule for rule in table.constraints if isinstance(rule, UniqueConstraint | CheckConstraint)
        ]
        rules_of_table += [index for index in table.indexes if index.unique]
        found += [pytest.param(table, rule, id=str(rule.name)) for rule in rules_of_table]
    return sorted(found, key=lambda one: one.id)


@pytest.mark.parametrize(("table", "rule"), rules())
def test_refusal_names_its_field_in_words(table, rule):
    assert rule.name, table.name
    assert rule.info.get("field") in table.columns
    message = rule.info.get("message", "")
    assert message[:1].isupper()
    assert rule.name not in message


def test_names_are_used_once():
    names = [str(rule.name) for table in own_tables() for rule in {*table.constraints, *table.indexes}]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert "None" not in names
