"""Chat through a real HTTP server: what is posted, what is refused, and what is never shown."""

import pytest
from sqlalchemy import select, text

from app.audit.models import AuditEntry
from app.foundation.database import db
from app.foundation.errors import InvalidInput
from app.foundation.sealing import Unreadable, seal, unseal
from app.foundation.transactions import transaction
from app.notifications import channels, chat_addresses, preferences
from app.notifications.models import Kind
from app.notifications.operations import Item
from app.notifications.preference_models import Channel, ChatChannel, Choice, MessageSettings
from tests.receiver import answer, dripping, never, receiving

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
NATIVE = {
    SLACK: "Slack (…i7FQ)",
    "https://discord.com/api/webhooks/4174296324183/GdMZoUnJ2T-secret-PTnJbDJ4cgGxmGFo": "Discord (…GmFo)",
}
NO_ADDRESS = [
    "file:///etc/passwd",
    "syslog://localhost",
    "dbus://",
    "windows://",
    "macosx://",
    "gnome://",
    "mailto://user:pass@example.com",
    "mqtt://localhost/topic",
    "snmp://localhost",
    "form://127.0.0.1/x",
    "xml://127.0.0.1/x",
    "http://example.com/hook",
    "https://example.com/hook",
    "javascript:alert(1)",
    "slack://",
    "slack://too/short",
    "nonsense",
    "://",
    "json://",
    # parameters of Apprise that read files, wait, or trust everybody
    f"{SLACK.replace('https://hooks.slack.com/services', 'slack:/')}?template=/etc/passwd",
    "jsons://example.com/?verify=no",
    "jsons://example.com/?redirect=yes",
    "jsons://example.com/?retry=5&wait=60",
    "jsons://example.com/?+X-Header=1",
]
INSIDE = [
    "jsons://127.0.0.1/x",
    "jsons://10.0.0.1/x",
    "jsons://169.254.169.254/latest/meta-data",
    "jsons://[::1]/x",
    "ntfys://192.168.1.10/topic",
    "gotifys://10.0.0.1/AaBbCcDdEeFfGgH",
    "mmosts://172.16.0.1/abcdefghijklmnopqrstuvwxyz",
    "jsons://example.com:22/x",
    "json://example.com/x",
]


@pytest.fixture
def receiver(loopback):
    with receiving(answer(200, b"ok")) as opened:
        yield opened


@pytest.fixture
def chat_of(context, world):
    """Give somebody a chat address."""

    def keep(name: str, url: str) -> None:
        checked = chat_addresses.check(url)
        preferences.keep_chat_address(world.people[name], checked.url, checked.shown)
        db.session.commit()

    return keep


def chat_messages(messages):
    return messages(channel="chat")


def test_notice_is_posted_once(receiver, chat_of, tell, send, messages):
    chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
    tell("alice", "bob", title="Renewal is due", body="In 7 days.", href="/payments/3", kind=Kind.PAYMENTS)
    send()
    send()
    [posted] = receiver.requests
    assert posted.path.rstrip("/") == "/hook"
    assert b"Renewal is due" in posted.body
    assert b"http://127.0.0.1:8000/payments/3" in posted.body
    [message] = chat_messages(messages)
    assert (message.state, message.answer) == ("sent", "200 ok")
    assert str(receiver.port) not in message.address


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_wrong_token_is_dead_with_the_answer(loopback, chat_of, tell, send, messages, status):
    with receiving(answer(status, b"invalid token")) as receiver:
        chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
        tell("bob")
        send()
        assert len(receiver.requests) == 1
    [message] = chat_messages(messages)
    assert (message.state, message.answer) == ("dead", f"{status} invalid token")


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.usefixtures("loopback")
def test_passing_fault_is_tried_again(chat_of, tell, send, messages, later, status):
    with receiving(answer(status, b"busy"), answer(200)) as receiver:
        chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
        tell("bob")
        send()
        assert [one.state for one in chat_messages(messages)] == ["waiting"]
        later(seconds=7)
        send()
        assert len(receiver.requests) == 2
    assert [one.state for one in chat_messages(messages)] == ["sent"]


@pytest.mark.parametrize("behaviour", [never, dripping])
@pytest.mark.usefixtures("loopback")
def test_receiver_that_never_ends_is_left(chat_of, tell, send, messages, monkeypatch, behaviour):
    from app.foundation import outgoing  # noqa: PLC0415

    original = outgoing.call
    monkeypatch.setattr(outgoing, "call", lambda *given: original(*given, 0.5))
    with receiving(behaviour) as receiver:
        chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
        tell("bob")
        send()
    [message] = chat_messages(messages)
    assert (message.state, message.answer) == ("waiting", "No answer within 0.5 seconds.")


def test_redirect_is_not_followed(loopback, chat_of, tell, send, messages):
    with receiving() as inside, receiving(answer(302, Location=inside.url())) as receiver:
        chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
        tell("bob")
        send()
        assert inside.requests == []
    assert [one.state for one in chat_messages(messages)] == ["dead"]


def test_host_that_turns_out_to_be_inside_is_refused_when_it_is_connected_to(
    chat_of, tell, send, messages, monkeypatch
):
    from app.foundation import outgoing  # noqa: PLC0415

    monkeypatch.setattr(outgoing, "lookup", lambda *_: ["169.254.169.254"])
    chat_of("bob", "jsons://meta.example.com/latest")
    tell("bob")
    send()
    [message] = chat_messages(messages)
    assert message.state == "dead"
    assert "inside of a network" in message.answer


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_chat_address_is_refused_in_words(context, url):
    with pytest.raises(InvalidInput) as refused:
        chat_addresses.check(url)
    assert list(refused.value.fields) == ["chat_address"]


@pytest.mark.parametrize("url", INSIDE)
def test_address_inside_of_a_network_is_refused_at_once(context, url):
    with pytest.raises(InvalidInput):
        chat_addresses.check(url)


@pytest.mark.parametrize(
    "url",
    [
        *NATIVE,
        "tgram://123456789:AAGdpSomethingThatLooksLikeAToken_abc/123456",
        "ntfys://ntfy.sh/my-topic",
        "mmosts://chat.example.com/abcdefghijklmnopqrstuvwxyz",
        "pover://uuuuuuuuuuuuuuuuuuuuuuuuuuuuuu@tttttttttttttttttttttttttttttt",
    ],
)
def test_address_is_taken_and_shown_without_its_secret(context, url):
    checked = chat_addresses.check(url)
    assert checked.url == url
    assert url[-4:] in checked.shown
    assert url[-10:] not in checked.shown
    assert checked.shown.startswith(NATIVE.get(url, "")[:5])


def test_address_is_sealed_and_stands_on_no_page_and_in_no_log(app, loopback, bob, root, context, world):
    secret = "a-very-secret-topic"
    answered = bob.post("/me/notifications/chat", {"chat_address": f"jsons://example.com/{secret}"})
    assert answered.status_code == 302
    for page in (bob.get("/me/notifications/"), root.get("/audit/"), root.get("/messages/")):
        assert page.status_code == 200
        assert secret not in page.text
    assert "example.com (…opic)" in bob.get("/me/notifications/").text
    for table in db.metadata.tables:
        assert secret not in "\n".join(db.session.scalars(text(f'SELECT t::text FROM "{table}" t'))), table
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "message_settings.create")).one()
    updates = db.session.scalars(select(AuditEntry).where(AuditEntry.action.like("message_settings.%"))).all()
    assert "example.com" not in str([(one.before, one.after) for one in updates])
    assert entry.actor_email == "bob@example.com"


def test_bad_address_is_a_422_at_its_field(bob, messages):
    answered = bob.post("/me/notifications/chat", {"chat_address": "file:///etc/passwd"})
    assert answered.status_code == 422
    assert "file:// is not one that messages can be sent to." in answered.text


def test_what_was_sealed_needs_its_key(app, context):
    sealed = seal("jsons://example.com/x")
    assert unseal(sealed) == "jsons://example.com/x"
    app.config["SECRET_KEY"], before = "t" * 40, app.config["SECRET_KEY"]
    try:
        with pytest.raises(Unreadable):
            unseal(sealed)
    finally:
        app.config["SECRET_KEY"] = before


def test_test_says_what_the_server_answered(loopback, chat_of, bob, messages):
    with receiving(answer(200, b"thanks"), answer(403, b"no such topic")) as receiver:
        chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
        bob.post("/me/notifications/test/chat")
        assert "Sent. The server answered: 200 thanks" in bob.get("/me/notifications/").text
        bob.post("/me/notifications/test/chat")
        assert "Not sent. 403 no such topic" in bob.get("/me/notifications/").text
    assert [one.state for one in messages(kind="test")] == ["sent", "dead"]


def test_forgotten_address_gets_nothing_more(receiver, chat_of, tell, send, messages, bob):
    chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
    tell("bob")
    bob.post("/me/notifications/chat/forget")
    send()
    tell("bob", title="Another")
    send()
    assert receiver.requests == []
    assert [one.state for one in chat_messages(messages)] == ["dropped"]


# --- channels of the company --------------------------------------------------------------------------------------


@pytest.fixture
def channel(receiver, context):
    with transaction():
        return channels.create_channel(
            name="Operations",
            kinds=[Kind.PAYMENTS, Kind.ESCALATION],
            address=f"json://127.0.0.1:{receiver.port}/company",
        )


def test_company_s_channel_gets_a_cause_once_with_the_lines_of_all(channel, receiver, tell, send, messages):
    tell("alice", kind=Kind.PAYMENTS, title="Cards expire", cause="cards:1", items=[Item("Gmail")])
    tell("bob", kind=Kind.PAYMENTS, title="Cards expire", cause="cards:1", items=[Item("Slack")])
    tell("bob", kind=Kind.TASK, title="Not for the channel")
    send()
    [posted] = receiver.requests
    assert b"Cards expire" in posted.body
    [message] = chat_messages(messages)
    assert (message.chat_channel.name, message.to) == ("Operations", "Operations")


def test_company_s_channel_is_told_once_of_what_several_people_are_told(
    channel, receiver, tell, send, world, context
):
    from app.notifications.operations import Notice, notify_all  # noqa: PLC0415

    notices = [
        Notice(person_id=world.people[name], kind=Kind.PAYMENTS, title="Cards expire", items=[Item(item)])
        for name, item in (("alice", "Gmail"), ("bob", "Slack"), ("root", "Gmail"))
    ]
    notify_all(notices)
    db.session.commit()
    send()
    [posted] = receiver.requests
    assert posted.body.count(b"Gmail") == 1
    assert b"Slack" in posted.body


def test_channels_are_the_admins(root, alice, charlie, loopback, context):
    body = {"name": "Ops", "kinds": ["task"], "address": "jsons://example.com/secret-path"}
    for visitor in (alice, charlie):
        assert visitor.api("POST", "chat-channels/", body).status_code == 403
    for field in body:
        refused = root.api("POST", "chat-channels/", {name: body[name] for name in body if name != field})
        assert (refused.status_code, refused.json["detail"][0]["field"]) == (422, field)
    made = root.api("POST", "chat-channels/", body)
    assert made.status_code == 201
    assert "secret-path" not in made.text
    assert "secret-path" not in root.get("/chat-channels/list/").text
    assert "secret-path" not in root.get(f"/chat-channels/edit/{made.json['id']}").text
    refused = root.api("POST", "chat-channels/", {**body, "name": "Other", "address": "dbus://"})
    assert refused.status_code == 422
    assert refused.json["detail"][0]["field"] == "address"
    assert root.api("POST", "chat-channels/", {**body, "kinds": ["nonsense"]}).status_code == 422


def test_changing_a_channel_keeps_its_address_unless_another_is_given(root, loopback, context):
    with transaction():
        made = channels.create_channel(name="Ops", kinds=["task"], address="jsons://example.com/first")
    answered = root.post(
        f"/chat-channels/edit/{made.id}", {"name": "Ops 2", "kinds": "access", "active": "y"}
    )
    assert answered.status_code == 302, answered.text
    db.session.expire_all()
    changed = db.session.get(ChatChannel, made.id)
    assert (changed.name, changed.kinds, unseal(changed.address)) == (
        "Ops 2",
        ["access"],
        "jsons://example.com/first",
    )


def test_channel_can_be_tested(channel, receiver, root):
    root.post(f"/chat-channels/{channel.id}/test")
    assert "Sent. The server answered: 200 ok" in root.get(f"/chat-channels/show/{channel.id}").text
    assert receiver.requests[0].path.startswith("/company")


def test_settings_are_nobody_else_s(chat_of, loopback, context, world, viewer_of):
    from app.foundation.viewer import viewing_as  # noqa: PLC0415

    chat_of("bob", "jsons://example.com/x")
    for name, seen in (("bob", 1), ("alice", 0), ("root", 0)):
        with viewing_as(viewer_of(name)):
            assert len(db.session.scalars(select(MessageSettings)).all()) == seen


def test_choice_for_chat_holds(receiver, chat_of, tell, send, world):
    chat_of("bob", f"json://127.0.0.1:{receiver.port}/hook")
    with transaction():
        preferences.choose(world.people["bob"], {(Kind.TASK, Channel.CHAT): Choice.OFF})
    tell("bob")
    send()
    assert receiver.requests == []
