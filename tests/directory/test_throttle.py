"""Guessing passwords: counted by account and by address, on every door at once, whatever headers say."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text
from werkzeug.middleware.proxy_fix import ProxyFix

from app.audit.models import AuditEntry
from app.directory import jobs
from app.directory.models import Account, SignInLimit
from app.foundation.database import db
from tests.cast import PASSWORD

WRONG = "not the password at all"


def lock(guess, email="alice@example.com", **options) -> None:
    assert [guess(email, **options) for _ in range(5)] == [401] * 5


@pytest.mark.parametrize("door", ["published", "generated", "page"])
def test_fifth_failure_locks_the_account_on_every_door(guess, hashed, door):
    lock(guess, door=door)
    tried = len(hashed)
    for other in ("published", "generated", "page"):
        assert guess(door=other) == 429
        assert guess(password=PASSWORD, door=other, peer="198.51.100.7") == 429
    assert len(hashed) == tried, "a locked account costs no hash"


def test_doors_share_the_count(guess, hashed):
    order = ["page", "published", "generated", "page", "published"]
    assert [guess(door=door) for door in order] == [401] * 5
    assert guess(door="generated", password=PASSWORD) == 429


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com", "dora@example.com"])
def test_lock_says_nothing_about_who_exists(doors, guess, hashed, email):
    lock(guess, email)
    for door in ("published", "generated"):
        answer = doors[door](email, WRONG, "192.0.2.1", None)
        assert answer.status_code == 429
        assert answer.json == {
            "error": "rate_limited",
            "message": "Too many failed attempts to sign in. Wait 15 minutes and try again.",
            "detail": [],
        }
        assert 880 < int(answer.headers["Retry-After"]) <= 900


def test_page_says_how_long_to_wait_and_keeps_the_email(doors, guess, hashed):
    lock(guess)
    answer = doors["page"]("alice@example.com", PASSWORD, "192.0.2.1", None)
    assert answer.status_code == 429
    assert 880 < int(answer.headers["Retry-After"]) <= 900
    assert "Wait 15 minutes and try again." in answer.text
    assert 'value="alice@example.com"' in answer.text
    assert "Incorrect" not in answer.text


@pytest.mark.parametrize("spelling", ["ALICE@example.com", "  alice@Example.COM "])
def test_spellings_of_an_email_are_one_account(guess, hashed, spelling):
    lock(guess, spelling)
    assert guess(password=PASSWORD) == 429


def test_lock_ends_and_the_next_ones_are_longer(guess, hashed, at):
    waited = 0.0
    for minutes in (15, 30, 60, 60):
        lock(guess)
        at(waited + minutes - 0.5)
        assert guess(password=PASSWORD) == 429
        waited += minutes + 0.1
        at(waited)
    assert guess(password=PASSWORD) == 200


def test_failures_leave_the_window_one_by_one(guess, hashed, at):
    for minute in range(0, 60, 4):
        at(minute)
        assert guess() == 401
    at(61)
    assert guess(password=PASSWORD) == 200


def test_success_clears_the_account_and_is_no_failure_of_the_address(guess, hashed):
    for _ in range(10):
        assert [guess() for _ in range(4)] == [401] * 4 if _ < 2 else True
        assert guess(password=PASSWORD) == 200
    for _ in range(30):
        assert guess("bob@example.com", PASSWORD) == 200


def test_address_is_locked_after_thirty_failures_over_many_accounts(guess, hashed):
    answers = [guess(f"guess-{number}@example.com") for number in range(40)]
    assert answers == [401] * 30 + [429] * 10
    assert guess(password=PASSWORD) == 429
    assert guess(password=PASSWORD, peer="198.51.100.7") == 200


def test_flood_from_one_address_locks_nobody_else_out(guess, hashed):
    for number in range(30):
        guess(f"guess-{number}@example.com")
    for _ in range(3):
        assert [guess(f"{name}@example.com") for name in ("root", "alice", "bob", "charlie")] == [429] * 4
    for name in ("root", "alice", "bob", "charlie"):
        assert guess(f"{name}@example.com", PASSWORD, peer="198.51.100.7") == 200


def test_signed_in_people_notice_nothing_of_a_lock(guess, hashed, alice):
    lock(guess)
    assert alice.get("/me/").status_code == 200
    assert alice.api("GET", "notifications/").status_code == 200


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP", "X-Client-IP"],
)
def test_headers_do_not_change_who_is_counted(guess, hashed, header):
    for number in range(30):
        headers = {header: f"for=203.0.113.{number}" if header == "Forwarded" else f"203.0.113.{number}"}
        assert guess(f"guess-{number}@example.com", headers=headers) == 401
    assert guess(headers={header: "203.0.113.200"}) == 429
    assert guess(headers={header: "127.0.0.1, 10.0.0.1"}) == 429


def test_behind_a_proxy_only_its_own_entry_counts(app, guess, hashed, monkeypatch):
    """What the client wrote stands before what the proxy (PROXY_COUNT=1) wrote."""
    monkeypatch.setattr(app, "wsgi_app", ProxyFix(app.wsgi_app, x_for=1))
    for number in range(30):
        forged = {"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1"}
        assert guess(f"guess-{number}@example.com", headers=forged) == 401
    assert guess(headers={"X-Forwarded-For": "203.0.113.99, 198.51.100.1"}) == 429
    assert guess(headers={"X-Forwarded-For": "198.51.100.1, 198.51.100.2"}) == 401


def test_network_of_an_ipv6_customer_is_one_address(guess, hashed):
    for number in range(30):
        assert guess(f"guess-{number}@example.com", peer=f"2001:db8:0:1::{number:x}") == 401
    assert guess(peer="2001:db8:0:1:ffff::1") == 429
    assert guess(peer="2001:db8:0:2::1") == 401


def test_many_at_the_same_moment_are_not_more_than_the_limit(app, guess, hashed):
    with ThreadPoolExecutor(6) as pool:
        answers = Counter(pool.map(lambda _: guess(), range(18)))
    assert answers == {401: 5, 429: 13}
    assert len(hashed) == 5


def test_new_password_unlocks(guess, hashed, root, context):
    lock(guess)
    account = db.session.scalar(select(Account).where(Account.email == "alice@example.com"))
    form = {"password": "four unrelated words", "conf_password": "four unrelated words"}
    assert root.post(f"/resetpassword/form?pk={account.id}", form).status_code == 302
    assert guess() == 401
    assert guess(password=PASSWORD) == 200


def test_every_outcome_is_in_the_log_and_no_password(guess, hashed, context):
    guess(password=PASSWORD)
    lock(guess)
    assert guess(password=PASSWORD) == 429
    entries = list(db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("auth.%"))))
    counts = Counter(entry.action for entry in entries)
    assert counts == {"auth.login": 1, "auth.login_failed": 5, "auth.locked": 1}
    locked = next(entry for entry in entries if entry.action == "auth.locked")
    assert (locked.target_label, locked.address) == ("alice@example.com", "192.0.2.1")
    assert locked.after["refused"] == 1
    everything = "\n".join(db.session.scalars(text("SELECT a::text FROM audit_logs a")))
    assert WRONG not in everything
    assert PASSWORD not in everything


def test_flood_does_not_fill_the_log(guess, hashed, context):
    lock(guess)
    for _ in range(110):
        guess(peer="198.51.100.7")
    query = select(func.count(AuditEntry.id)).where(AuditEntry.action == "auth.locked")
    assert db.session.scalar(query) <= 25


def test_what_was_typed_is_not_kept(guess, hashed, context):
    guess("my secret password typed here")
    rows = "\n".join(db.session.scalars(text("SELECT t::text FROM sign_in_limits t")))
    assert "secret" not in rows


def test_sign_in_costs_two_statements_more_and_a_refusal_one(guess, hashed, statements):
    def of_limits(seen):
        return [one for one in seen if "sign_in_limits" in one]

    with statements() as seen:
        guess(password=PASSWORD)
    assert len(of_limits(seen)) == 2
    with statements() as seen:
        guess()
    assert len(of_limits(seen)) == 1
    for _ in range(20):
        guess()
    with statements() as seen:
        guess()
    assert len(seen) == len(of_limits(seen)) == 1


@pytest.mark.parametrize("email", ["", " ", "x" * 5000, "'; DROP TABLE users; --", "ä@ö.example", "a\x00b"])
def test_odd_accounts_are_counted_and_break_nothing(guess, hashed, email):
    statuses = {guess(email, door=door) for _ in range(4) for door in ("published", "generated")}
    assert statuses <= {400, 401, 422, 429}


def test_old_counts_are_forgotten_by_a_job(guess, hashed, at, context):
    lock(guess)
    jobs.prune_sign_in_limits()
    assert db.session.scalar(select(func.count(SignInLimit.subject))) == 2
    at(24 * 60 + 1)
    assert jobs.prune_sign_in_limits() == "2 forgotten"
    db.session.commit()
    assert guess(password=PASSWORD) == 200
