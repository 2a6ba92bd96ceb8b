"""Mail through a real server: what arrives, once, and what happens when it does not."""

import time

import pytest
from sqlalchemy import func, select

from app.directory import operations as directory
from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.trace import following
from app.notifications.message_models import Message, MessageState
from app.notifications.models import Kind, Notification
from app.notifications.operations import Item
from tests.postoffice import black_hole, free_port, post_office


def states(messages) -> list[str]:
    return [message.state for message in messages()]


def test_mail_arrives_once_with_text_and_html(office, tell, send, messages, world):
    tell("alice", title="Give Jane access to Gmail", body="She starts on Monday.", href="/inbox/7")
    send()
    send()
    [arrived] = office.mails
    [message] = messages()
    assert arrived.to == ["alice@example.com"]
    assert arrived.sender == "portalops@localhost"
    mail = arrived.mail
    assert mail["Subject"] == "Give Jane access to Gmail"
    assert mail["To"] == "Alice <alice@example.com>"
    assert mail["From"] == "PortalOps <portalops@localhost>"
    assert mail["Message-ID"] == message.message_id
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == message.created_at.replace(microsecond=0)
    assert mail["List-Unsubscribe"] is None
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    for part in (text, html):
        assert "She starts on Monday." in part
        assert "http://127.0.0.1:8000/inbox/7" in part
        assert "http://127.0.0.1:8000/me/notifications/" in part
    assert (message.state, message.attempts, message.answer) == ("sent", 1, "250 OK: taken as 1")
    assert message.finished_at
    assert message.notification_id == db.session.scalar(select(func.max(Notification.id)))


def test_mail_names_the_request_behind_it(office, tell, send):
    with following("asked-by-somebody"):
        tell("alice", title="One")
    tell("alice", title="Two")
    send()
    assert {mail.mail["Subject"]: mail.mail["X-Request-ID"] for mail in office.mails} == {
        "One": "asked-by-somebody",
        "Two": None,
    }


def test_markup_in_a_notice_is_text_in_the_mail(office, tell, send):
    tell("alice", title="<b>1 < 2</b>", body="<script>alert(1)</script>")
    send()
    html = office.mails[0].mail.get_body(("html",)).get_content()
    assert "<script>" not in html
    assert "&lt;b&gt;1 &lt; 2&lt;/b&gt;" in html


def test_names_and_subjects_make_no_headers(office, tell, send, world, context):
    person = db.session.get(Person, world.people["alice"])
    directory.change_person(person, name='Ali "Ce" Müller, Ops')
    db.session.commit()
    tell("alice", title="Line\r\nBcc: everybody@example.com\r\n\r\nÄrger " + "x" * 500)
    send()
    [arrived] = office.mails
    assert arrived.to == ["alice@example.com"]
    assert arrived.mail["Bcc"] is None
    assert arrived.mail["Subject"].startswith("Line Bcc: everybody@example.com Ärger xxx")
    assert len(arrived.mail["Subject"]) == 150
    [address] = arrived.mail["To"].addresses
    assert (address.display_name, address.addr_spec) == ('Ali "Ce" Müller, Ops', "alice@example.com")
    assert max(map(len, arrived.raw.splitlines())) < 1000


def test_lines_of_a_notice_stand_in_its_mail_up_to_a_limit(office, tell, send):
    items = [Item(f"Product {number}", f"/payments/{number}") for number in range(150)]
    tell("alice", title="150 cards expire", items=items)
    send()
    for kind in ("plain", "html"):
        part = office.mails[0].mail.get_body((kind,)).get_content()
        assert "Product 99" in part
        assert "http://127.0.0.1:8000/payments/99" in part
        assert "Product 100" not in part
        assert "and 50 more in PortalOps" in part


def test_dots_at_the_beginning_of_lines_arrive(office, tell, send):
    tell("alice", body=".\n..\n.hidden")
    send()
    text = office.mails[0].mail.get_body(("plain",)).get_content()
    assert text.splitlines()[1:4] == [".", "..", ".hidden"]


def test_one_connection_carries_all_mails_of_a_drain(office, tell, send):
    tell("alice", "bob", "charlie", "root")
    send()
    assert len(office.mails) == 4
    assert office.connections == 1


def test_somebody_who_left_gets_nothing(office, tell, send, messages, world, context):
    tell("bob", "charlie")
    directory.deactivate_person(db.session.get(Person, world.people["bob"]))
    db.session.commit()
    tell("bob", title="Too late")
    send()
    assert [one.to for one in office.mails] == [["charlie@example.com"]]
    assert [(one.to, one.state) for one in messages()] == [("Bob", "dropped"), ("Charlie", "sent")]


def test_without_a_server_mail_is_kept_and_can_be_sent_later(smtp, tell, send, messages, root):
    tell("alice")
    send()
    [message] = messages()
    assert (message.state, message.attempts) == ("kept", 0)
    with post_office() as office:
        smtp(host="127.0.0.1", port=office.port)
        assert root.post(f"/messages/{message.id}/replay").status_code == 302
        send()
        assert [one.mail["Message-ID"] for one in office.mails] == [message.message_id]
    assert states(messages) == ["sent"]


# --- faults ---------------------------------------------------------------------------------------------------------


def test_server_that_is_down_is_tried_again(smtp, tell, send, messages, later):
    smtp(host="127.0.0.1", port=(port := free_port()))
    tell("alice", "bob")
    send()
    first, second = messages()
    assert (first.state, first.attempts, second.attempts) == ("waiting", 1, 0)
    assert "Connection refused" in first.answer
    assert 3 < (first.due_at - clock.now()).total_seconds() <= 6
    with post_office(port=port) as office:
        later(seconds=10)
        send()
        assert sorted(one.to[0] for one in office.mails) == ["alice@example.com", "bob@example.com"]
    assert states(messages) == ["sent", "sent"]
    assert [one["verdict"] for one in messages()[0].history] == ["again", "sent"]


def test_server_that_never_answers_holds_up_one_attempt_only(smtp, loopback, tell, send, messages):
    with black_hole() as port:
        smtp(host="127.0.0.1", port=port)
        tell("alice", "bob", "charlie")
        begun = time.monotonic()
        send()
        assert time.monotonic() - begun < 5
    assert sorted(one.attempts for one in messages()) == [0, 0, 1]
    assert set(states(messages)) == {"waiting"}
    assert "no answer in time" in messages()[0].answer or "timed out" in messages()[0].answer


def test_recipient_that_is_refused_is_dead_and_the_others_get_theirs(office, tell, send, messages, context):
    office.rcpt = lambda address: "550 5.1.1 No such user here" if address.startswith("bob") else None
    tell("alice", "bob", "charlie")
    send()
    assert sorted(one.to[0] for one in office.mails) == ["alice@example.com", "charlie@example.com"]
    found = {one.to: one for one in messages(kind="task")}
    assert {name: one.state for name, one in found.items()} == {
        "Alice": "sent",
        "Bob": "dead",
        "Charlie": "sent",
    }
    assert found["Bob"].answer == "550 5.1.1 No such user here"
    notices = db.session.scalars(select(Notification).where(Notification.kind == Kind.MACHINERY)).all()
    assert {notice.title for notice in notices} == {"A message was not delivered"}


def test_admins_are_told_of_dead_letters_once_a_day(office, tell, send, context):
    office.rcpt = lambda _: "550 No"
    for _ in range(3):
        tell("bob")
        send()
    admins = select(func.count()).where(Notification.kind == Kind.MACHINERY)
    assert db.session.scalar(admins.group_by(Notification.person_id).limit(1)) == 1


@pytest.mark.parametrize("answer", ["450 4.2.0 Greylisted", "452 4.3.1 Full"])
def test_passing_refusal_is_tried_again_and_arrives_once(office, tell, send, messages, later, answer):
    refusals = [answer]
    office.rcpt = lambda _: refusals.pop() if refusals else None
    tell("alice")
    send()
    [message] = messages()
    assert (message.state, message.answer) == ("waiting", answer)
    later(seconds=7)
    send()
    assert len(office.mails) == 1
    assert states(messages) == ["sent"]


@pytest.mark.parametrize(("answer", "state"), [("554 5.7.1 Spam", "dead"), ("451 Later", "waiting")])
def test_refusal_after_the_text_counts_too(office, tell, send, messages, answer, state):
    office.data = lambda _: answer
    tell("alice")
    send()
    [message] = messages(kind="task")
    assert (message.state, message.answer) == (state, answer)


def test_wrong_password_is_said_and_mail_waits_for_the_right_one(smtp, tell, send, messages, later):
    with post_office(password="right") as office:
        smtp(host="127.0.0.1", port=office.port, user="portal", password="wrong")
        tell("alice", "bob")
        send()
        assert [one.attempts for one in messages()] == [1, 0]
        assert "535" in messages()[0].answer
        smtp(host="127.0.0.1", port=office.port, user="portal", password="right")
        later(seconds=10)
        send()
        assert len(office.mails) == 2
    assert states(messages) == ["sent", "sent"]


def test_server_without_encryption_gets_no_password(smtp, tell, send, messages):
    with post_office() as office:
        smtp(host="127.0.0.1", port=office.port, starttls=True, user="portal", password="secret")
        tell("alice")
        send()
        assert office.mails == []
    assert "offers no encryption (STARTTLS)" in messages()[0].answer


def test_mail_whose_answer_got_lost_may_have_arrived_and_is_not_sent_again(
    office, tell, send, messages, later, root
):
    """The server takes it and the answer never comes: a second attempt might be a second mail."""
    office.data = lambda _: time.sleep(1.5)
    tell("alice")
    send()
    [message] = messages(kind="task")
    assert message.state == MessageState.FAILED
    assert message.answer.startswith("The mail was handed over, and no answer came")
    office.data = lambda _: None
    later(days=3)
    send()
    assert states(messages)[0] == "failed"
    root.post(f"/messages/{message.id}/replay")
    send()
    ids = [one.mail["Message-ID"] for one in office.mails if one.to == ["alice@example.com"]]
    assert set(ids) == {message.message_id}
    assert states(messages)[0] == "sent"


def test_worker_that_died_over_a_mail_leaves_it_visible_and_unsent(
    office, tell, send, messages, later, context
):
    from app.notifications import delivery  # noqa: PLC0415
    from app.notifications.preference_models import Channel  # noqa: PLC0415

    tell("alice")
    delivery.claim_next(set(Channel))
    db.session.commit()
    send()
    assert states(messages) == ["sending"]
    later(minutes=4)
    send()
    [message] = messages(kind="task")
    assert (message.state, message.answer) == ("failed", delivery.MAY_HAVE_ARRIVED)
    assert [one for one in office.mails if one.to == ["alice@example.com"]] == []


def test_mail_is_given_up_after_the_last_wait(smtp, tell, send, messages, later):
    smtp(host="127.0.0.1", port=free_port())
    tell("alice")
    for _ in range(12):
        send()
        later(hours=30)
    [message] = messages(kind="task")
    assert (message.state, message.attempts, len(message.history)) == ("dead", 10, 10)


def test_two_drains_never_send_the_same(office, tell, app, context):
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    from app.notifications import delivery  # noqa: PLC0415

    for number in range(10):
        tell("alice", "bob", title=f"Task {number}")

    def drain() -> int:
        with app.app_context():
            tried, _ = delivery.drain()
            db.session.remove()
            return tried

    with ThreadPoolExecutor(3) as pool:
        tried = [future.result() for future in [pool.submit(drain) for _ in range(3)]]
    assert sum(tried) == len(office.mails) == 20
    assert len({one.mail["Message-ID"] for one in office.mails}) == 20
    assert db.session.scalar(select(func.count()).where(Message.state == "sent")) == 20
