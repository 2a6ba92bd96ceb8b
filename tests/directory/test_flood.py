"""A flood of wrong passwords: it costs little, and takes nothing from anybody else."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from threading import Event, Semaphore, Thread

import pytest
from flask import current_app
from sqlalchemy import func, select, text, update

from app.audit.models import AuditEntry
from app.directory.models import Account, SignInLimit
from app.directory.operations import signing_in, throttle
from app.foundation.database import db
from tests.cast import PASSWORD
from tests.runtime.processes import wait_until


def lock(guess, email="alice@example.com", **options) -> None:
    assert [guess(email, **options) for _ in range(5)] == [401] * 5


FLOOD = "203.0.113.9"


@pytest.fixture
def flooding(guess, hashed):
    """An address that was refused often enough to be remembered."""
    answers = Counter(guess(f"person.{n}@example.com", peer=FLOOD) for n in range(42))
    assert answers == {401: 30, 429: 12}
    return lambda email="alice@example.com": guess(email, peer=FLOOD)


def refused_in_database() -> int:
    return db.session.scalar(select(func.max(SignInLimit.refused)))


def test_flood_from_an_address_costs_no_statement(flooding, doors, statements, hashed):
    tried = len(hashed)
    with statements() as seen:
        assert [flooding(email) for email in ("alice@example.com", "nobody@example.com")] == [429, 429]
        answers = [
            doors[door]("bob@example.com", PASSWORD, FLOOD, None) for door in ("published", "generated")
        ]
    assert seen == []
    assert len(hashed) == tried
    for answer in answers:
        assert answer.json["message"] == "Too many failed attempts to sign in. Wait 15 minutes and try again."
        assert 880 < int(answer.headers["Retry-After"]) <= 900


def test_flood_is_answered_slowly(flooding, context):
    refused = update(SignInLimit).values(refused=throttle.FLOOD)
    db.session.execute(refused)
    db.session.commit()
    current_app.extensions["locked_addresses"].clear()
    assert elapsed(flooding) >= signing_in.PAUSE_SECONDS


def elapsed(attempt) -> float:
    begun = time.monotonic()
    assert attempt() == 429
    return time.monotonic() - begun


def test_pauses_take_only_half_of_the_places():
    line = signing_in.Line(places=2)
    paused = Thread(target=line.pause)
    paused.start()
    wait_until(lambda: line._pauses._value == 0)
    line.pause()
    assert paused.is_alive()
    paused.join()


def test_flood_from_an_address_refuses_nobody_else(flooding, guess):
    assert flooding() == 429
    assert guess(password=PASSWORD, peer="198.51.100.7") == 200


def test_remembered_lock_lasts_no_longer_than_the_one_in_the_database(flooding, at):
    at(14.99)
    assert flooding() == 429
    at(15.1)
    assert flooding() == 401


def test_lock_that_the_database_lifts_is_lifted_in_moments(flooding, at, context):
    db.session.execute(text("DELETE FROM sign_in_limits"))
    db.session.commit()
    assert flooding() == 429
    at(0.05)
    assert flooding() == 401


def test_database_is_told_how_often_an_address_was_refused(flooding, at, context):
    assert [flooding() for _ in range(120)] == [429] * 120
    at(0.05)
    assert flooding() == 429
    db.session.rollback()
    assert refused_in_database() == 12 + 121
    query = select(func.count(AuditEntry.id)).where(AuditEntry.action == "auth.locked")
    assert db.session.scalar(query) == 11


def test_new_password_unlocks_at_once_however_often_the_account_was_refused(guess, hashed, root, context):
    lock(guess)
    assert [guess(peer=f"198.51.100.{n}") for n in range(15)] == [429] * 15
    account = db.session.scalar(select(Account).where(Account.email == "alice@example.com"))
    form = {"password": "four unrelated words", "conf_password": "four unrelated words"}
    assert root.post(f"/resetpassword/form?pk={account.id}", form).status_code == 302
    assert guess(password=PASSWORD) == 200


def test_those_who_sign_in_leave_threads_to_the_others(app, guess, doors, monkeypatch, context):
    places = app.config["SIGN_INS_AT_ONCE"]
    arrived, opened = Semaphore(0), Event()

    def check(_known: str, password: str) -> bool:
        arrived.release()
        opened.wait(30)
        return password == PASSWORD

    monkeypatch.setattr(signing_in, "check_password_hash", check)
    monkeypatch.setattr(signing_in, "_one_hash_at_a_time", nullcontext())
    with ThreadPoolExecutor(places) as pool:
        waiting = [pool.submit(guess, f"person.{n}@example.com") for n in range(places)]
        for _ in waiting:
            assert arrived.acquire(timeout=30)
        answers = [
            doors[door]("alice@example.com", PASSWORD, "192.0.2.1", None) for door in ("published", "page")
        ]
        opened.set()
        assert Counter(one.result() for one in waiting) == {401: places}
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
        assert "Too many people are signing in at this moment. Try again in a few seconds." in answer.text
    assert guess(password=PASSWORD) == 200
    assert db.session.scalar(select(func.max(func.cardinality(SignInLimit.attempts)))) == places
