"""How people are told: choices, quiet hours, the digest, and the link that ends mails."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.transactions import transaction
from app.notifications import digests, hours, mailing, preferences
from app.notifications.models import Kind
from app.notifications.operations import Item
from app.notifications.preference_models import Channel, Choice, MessageChoice
from tests.visitor import apart

MAIL = Channel.EMAIL


@pytest.fixture
def at(monkeypatch, app):
    """Set the clock: `at("2031-06-01T09:00")`, UTC."""

    def set_to(text: str) -> datetime:
        moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: moment)
        return moment

    return set_to


@pytest.fixture
def choose(context, world):
    def make(name: str | None, **fields) -> None:
        with transaction():
            person = world.people[name] if name else None
            hours_given = {key: fields.pop(key) for key in list(fields) if key not in set(Kind)}
            preferences.choose(person, {(Kind(kind), MAIL): choice for kind, choice in fields.items()})
            if hours_given:
                given = {"quiet_from": None, "quiet_until": None, "digest_hour": None} | hours_given
                preferences.change_hours(person, **given)

    return make


# --- hours ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "begin", "end", "expected"),
    [
        ("2031-06-01T21:59", 22, 6, None),
        ("2031-06-01T22:00", 22, 6, "2031-06-02T06:00"),
        ("2031-06-02T05:59", 22, 6, "2031-06-02T06:00"),
        ("2031-06-02T06:00", 22, 6, None),
        ("2031-06-01T12:30", 12, 13, "2031-06-01T13:00"),
        ("2031-06-01T13:00", 12, 13, None),
        ("2031-06-01T12:00", 9, 9, None),
    ],
)
def test_quiet_hours_end_when_they_should(context, now, begin, end, expected):
    found = hours.end_of_quiet(datetime.fromisoformat(now).replace(tzinfo=UTC), time(begin), time(end))
    assert found == (datetime.fromisoformat(expected).replace(tzinfo=UTC) if expected else None)


def test_quiet_hours_and_digests_follow_the_company_s_clock_through_its_changes(context, monkeypatch):
    monkeypatch.setattr(clock, "zone", lambda: ZoneInfo("Europe/Berlin"))
    night = datetime(2031, 3, 29, 22, tzinfo=UTC)  # 23:00 in Berlin, before the clocks go forward
    assert hours.end_of_quiet(night, time(22), time(7)) == datetime(2031, 3, 30, 5, tzinfo=UTC)
    assert hours.next_digest(night, 8) == datetime(2031, 3, 30, 6, tzinfo=UTC)
    assert hours.next_digest(datetime(2031, 10, 25, 12, tzinfo=UTC), 8) == datetime(
        2031, 10, 26, 7, tzinfo=UTC
    )


def test_what_is_decided_in_quiet_hours_waits_and_escalations_do_not(
    office, choose, tell, send, messages, at
):
    choose("alice", quiet_from=time(20), quiet_until=time(7))
    at("2031-06-01T22:00")
    tell("alice", title="A task")
    tell("alice", title="An escalation", kind=Kind.ESCALATION)
    send()
    assert [one.mail["Subject"] for one in office.mails] == ["An escalation"]
    at("2031-06-02T07:00")
    send()
    assert [one.mail["Subject"] for one in office.mails] == ["An escalation", "A task"]


# --- choices ----------------------------------------------------------------------------------------------------------


def test_own_choice_goes_before_the_company_s(office, choose, tell, send, messages):
    choose(None, task=Choice.OFF)
    choose("bob", task=Choice.AT_ONCE)
    tell("alice", "bob", "charlie")
    send()
    assert [one.to for one in office.mails] == [["bob@example.com"]]
    assert len(messages()) == 1


def test_choice_that_is_taken_back_leaves_the_company_s(choose, world, context):
    choose("bob", task=Choice.OFF)
    choose("bob", task=None)
    assert db.session.scalars(select(MessageChoice)).all() == []
    [reader] = preferences.readers([world.people["bob"]]).values()
    assert reader.choice(Kind.TASK, MAIL) is Choice.AT_ONCE


# --- digest -----------------------------------------------------------------------------------------------------------


def test_digest_is_one_mail_a_day_with_everything_by_kind(office, choose, tell, send, messages, at):
    choose("alice", task=Choice.DIGEST, payments=Choice.DIGEST, digest_hour=9)
    at("2031-06-01T10:00")
    tell("alice", title="Give Jane access", href="/inbox/1")
    tell("alice", title="A card expires", kind=Kind.PAYMENTS, items=[Item("Gmail: in 7 days", "/payments/1")])
    tell("alice", title="Give John access", href="/inbox/2")
    send()
    assert office.mails == []
    assert {one.state for one in messages()} == {"held"}
    at("2031-06-02T09:00")
    send()
    send()
    [digest] = office.mails
    assert digest.mail["Subject"] == "3 things to know"
    for kind in ("plain", "html"):
        part = digest.mail.get_body((kind,)).get_content()
        assert (
            part.index("Give Jane access") < part.index("Give John access") < part.index("Gmail: in 7 days")
        )
        assert "http://127.0.0.1:8000/payments/1" in part
    assert [(one.kind, one.state) for one in messages()] == [
        ("task", "in_digest"),
        ("payments", "in_digest"),
        ("task", "in_digest"),
        ("digest", "sent"),
    ]
    assert digest.mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert digest.mail["List-Unsubscribe"].startswith("<http://127.0.0.1:8000/unsubscribe/")


def test_digest_leaves_out_what_is_not_wanted_any_more_and_who_left(office, choose, tell, send, messages, at):
    for name in ("alice", "bob", "charlie"):
        choose(name, task=Choice.DIGEST, digest_hour=9)
    at("2031-06-01T10:00")
    tell("alice", "bob", "charlie")
    choose("alice", task=Choice.OFF)
    with transaction():
        directory.deactivate_person(db.session.scalars(select(Person).where(Person.name == "Bob")).one())
    at("2031-06-02T09:00")
    send()
    assert [one.to for one in office.mails] == [["charlie@example.com"]]
    assert sorted(one.state for one in messages()) == ["dropped", "dropped", "in_digest", "sent"]


def test_digest_is_made_once_by_two_at_a_time(choose, tell, messages, at, app, context):
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    for name in ("alice", "bob", "charlie"):
        choose(name, task=Choice.DIGEST, digest_hour=9)
    at("2031-06-01T10:00")
    tell("alice", "bob", "charlie")
    at("2031-06-02T09:00")

    def make() -> int:
        with app.app_context():
            made = digests.make_due()
            db.session.commit()
            db.session.remove()
            return made

    with ThreadPoolExecutor(2) as pool:
        made = sum(future.result() for future in [pool.submit(make) for _ in range(2)])
    assert made == len(messages(kind="digest")) == 3


def test_digest_is_due_each_day_at_its_hour(context, monkeypatch):
    now = datetime(2031, 6, 1, 8, tzinfo=UTC)
    assert hours.next_digest(now, 8) == now + timedelta(days=1)
    assert hours.next_digest(now - timedelta(seconds=1), 8) == now


# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["charlie", "alice", "root"])
def test_everybody_chooses_for_themselves(visit, name, context, world):
    visitor = visit(name)
    sent = {
        "task.email": "digest",
        "task.chat": "",
        "quiet_from": "20:00",
        "quiet_until": "07:30",
        "digest_hour": "6",
    }
    assert visitor.post("/me/notifications/", sent).status_code == 302
    db.session.expire_all()
    [reader] = preferences.readers([world.people[name]]).values()
    assert reader.choice(Kind.TASK, MAIL) is Choice.DIGEST
    assert (reader.quiet_from, reader.quiet_until, reader.digest_hour) == (time(20), time(7, 30), 6)
    others = preferences.readers([key for other, key in world.people.items() if other != name])
    assert {one.choice(Kind.TASK, MAIL) for one in others.values()} == {Choice.AT_ONCE}


@pytest.mark.parametrize(
    "sent",
    [
        {"task.email": "sometimes"},
        {"quiet_from": "20:00"},
        {"quiet_until": "07:00"},
        {"quiet_from": "25:00", "quiet_until": "07:00"},
        {"digest_hour": "24"},
        {"digest_hour": "x"},
    ],
)
def test_bad_choice_is_refused_and_changes_nothing(charlie, sent, context):
    assert charlie.post("/me/notifications/", {"access.email": "off", **sent}).status_code == 422
    assert db.session.scalars(select(MessageChoice)).all() == []


def test_employee_is_not_offered_what_never_reaches_them(charlie, root):
    assert "machinery.email" not in charlie.get("/me/notifications/").text
    assert "machinery.email" in root.get("/me/notifications/").text


def test_only_admins_set_the_company_s_defaults(root, alice, charlie, context, world):
    for visitor in (alice, charlie):
        assert visitor.get("/messages/defaults/").status_code == 403
        assert visitor.post("/messages/defaults/", {"task.email": "off"}).status_code == 403
    assert root.post("/messages/defaults/", {"task.email": "off", "digest_hour": "7"}).status_code == 302
    db.session.expire_all()
    readers = preferences.readers(list(world.people.values())).values()
    assert {(one.choice(Kind.TASK, MAIL), one.digest_hour) for one in readers} == {(Choice.OFF, 7)}
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "message_choice.create")).one()
    assert (entry.actor_email, entry.after["choice"]) == ("root@example.com", "off")


def test_test_mail_says_what_the_server_answered(office, charlie, messages):
    charlie.post("/me/notifications/test/email")
    assert "Sent. The server answered: 250 OK: taken as 1" in charlie.get("/me/notifications/").text
    assert [one.to for one in office.mails] == [["charlie@example.com"]]
    office.rcpt = lambda _: "550 No such user"
    charlie.post("/me/notifications/test/email")
    assert "Not sent. 550 No such user" in charlie.get("/me/notifications/").text


def test_test_mail_without_a_server_is_kept_and_says_so(charlie, messages):
    charlie.post("/me/notifications/test/email")
    assert "no mail server yet" in charlie.get("/me/notifications/").text
    assert [one.state for one in messages()] == ["kept"]


# --- unsubscribing ----------------------------------------------------------------------------------------------------


@pytest.fixture
def link(app, world, context):
    address = mailing.unsubscribe_address(world.people["charlie"], [Kind.TASK, Kind.ACCESS])
    return address.removeprefix("http://127.0.0.1:8000")


def test_one_click_ends_mails_without_a_sign_in_or_a_form(app, link, nobody, context, world):
    assert nobody.get(link).status_code == 200
    assert db.session.scalars(select(MessageChoice)).all() == []
    answered = apart(app.test_client().post, link, data={"List-Unsubscribe": "One-Click"})
    assert answered.status_code == 200
    db.session.expire_all()
    [reader] = preferences.readers([world.people["charlie"]]).values()
    assert [reader.choice(kind, MAIL) for kind in (Kind.TASK, Kind.ACCESS, Kind.PAYMENTS)] == [
        Choice.OFF,
        Choice.OFF,
        Choice.AT_ONCE,
    ]
    [entry, _] = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "message_choice.create").order_by(AuditEntry.id)
    )
    assert (entry.actor_name, entry.actor_id) == ("A link in a mail", world.people["charlie"])


@pytest.mark.parametrize("cut", [1, 9, 1000])
def test_link_that_was_not_signed_is_none(link, nobody, app, cut, context):
    forged = f"/unsubscribe/{link.removeprefix('/unsubscribe/')[:-cut]}x"
    assert nobody.get(forged).status_code == 404
    assert apart(app.test_client().post, forged).status_code == 404
    assert db.session.scalars(select(MessageChoice)).all() == []
