"""Facts: handed on in order, in the same transaction, all or nothing."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select

from app import wiring
from app.directory import operations as directory
from app.directory.models import Department
from app.foundation import events
from app.foundation.database import db
from app.foundation.errors import Conflict
from app.foundation.transactions import transaction
from app.inbox.events import TaskCompleted, TaskFinished, TaskReopened


@dataclass(frozen=True)
class Happened:
    """A fact of nobody's but these tests'."""

    what: str


@dataclass(frozen=True)
class HappenedToo(Happened):
    """A fact of its own, though it is built on another."""


@pytest.fixture(autouse=True)
def forgotten():
    """Nobody listens to these facts before and after a test."""
    yield
    events._handlers.pop(Happened, None)
    events._handlers.pop(HappenedToo, None)


def test_subscribers_hear_a_fact_in_the_order_they_subscribed():
    heard = []
    events.subscribe(Happened, lambda fact: heard.append(("first", fact.what)))
    events.subscribe(Happened, lambda fact: heard.append(("second", fact.what)))
    events.publish(Happened("rain"))
    assert heard == [("first", "rain"), ("second", "rain")]


def test_subscribing_twice_is_subscribing_once():
    heard = []

    def listen(fact: Happened) -> None:
        heard.append(fact)

    events.subscribe(Happened, listen)
    events.subscribe(Happened, listen)
    events.publish(Happened("rain"))
    assert len(heard) == 1


def test_fact_is_heard_by_its_own_subscribers_only():
    heard = []
    events.subscribe(Happened, heard.append)
    events.publish(HappenedToo("snow"))
    assert heard == []


def test_fact_that_nobody_hears_is_no_fault():
    events.publish(Happened("rain"))


def test_subscriber_that_refuses_undoes_what_was_done(context):
    def refuse(fact: Happened) -> None:
        raise Conflict(f"No {fact.what} today.")

    events.subscribe(Happened, lambda _: directory.create_department(name="Astrology"))
    events.subscribe(Happened, refuse)
    directory.create_department(name="Astronomy")
    with pytest.raises(Conflict, match="No rain today"), transaction():
        events.publish(Happened("rain"))
    assert db.session.scalar(select(Department).where(Department.name.like("Astro%"))) is None


def test_connecting_again_changes_nothing(app):
    before = {fact: list(handlers) for fact, handlers in events._handlers.items()}
    wiring.connect()
    assert {fact: list(handlers) for fact, handlers in events._handlers.items()} == before


@pytest.mark.parametrize("fact", [TaskCompleted, TaskFinished, TaskReopened])
def test_facts_of_the_inbox_are_heard(app, fact):
    assert events._handlers[fact]
