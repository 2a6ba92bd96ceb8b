"""The log of messages for Admins: what left, to whom, why, and what became of it; and the company's chat channels."""

from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from wtforms import BooleanField, SelectMultipleField
from wtforms.validators import InputRequired

from app.foundation import clock
from app.foundation.errors import DomainError, NotFound
from app.foundation.fab import PortalInterface
from app.foundation.forms import PortalForm, choices_of, line
from app.foundation.references import find, parse_key
from app.foundation.transactions import transaction
from app.foundation.views import PortalModelView
from app.notifications import planning, queries, sending
from app.notifications.api import CHANNEL_VERBS
from app.notifications.chat_addresses import LONGEST
from app.notifications.mailing import KIND_WORDS
from app.notifications.message_models import DIGEST, TEST, Message, MessageState
from app.notifications.models import Kind
from app.notifications.preference_models import Channel, ChatChannel
from app.notifications.preference_views import say_what_came

PAGE = 50
KINDS = {**{kind.value: words for kind, words in KIND_WORDS.items()}, DIGEST: "Daily digest", TEST: "Test"}


def _asked() -> queries.MessageFilter:
    """The filters of the address; what is no state, channel or kind filters nothing."""
    given = {name: request.args.get(name, "") for name in ("state", "channel", "kind")}
    known: dict[str, Any] = {"state": set(MessageState), "channel": set(Channel), "kind": set(KINDS)}
    kept = {name: value for name, value in given.items() if value in known[name]}
    return queries.MessageFilter(**kept, to=request.args.get("to", "").strip()[:100].replace("\0", ""))


class MessageView(BaseView):
    """Messages, newest first."""

    route_base = "/messages"
    class_permission_name = "Message"
    base_permissions = ["can_read"]
    method_permission_name = {"list": "read", "show": "read"}
    default_view = "list"

    @expose("/")
    @has_access
    def list(self) -> Any:
        """A page of them."""
        wanted = _asked()
        found = queries.messages(wanted, before_id=parse_key(request.args.get("before")), size=PAGE + 1)
        return self.render_template(
            "messages/list.html",
            title="Messages",
            wanted=wanted,
            messages=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
            counts=queries.message_counts(),
            mail_is_sent=planning.mail_is_sent(),
            kinds=KINDS,
        )

    @expose("/<pk>")
    @has_access
    def show(self, pk: str) -> Any:
        """One of them: what it says, and each attempt."""
        message = _found(pk)
        return self.render_template(
            "messages/show.html",
            title=message.subject,
            message=message,
            why_href=queries.cause_href(message),
            attempt_time=lambda text: f"{clock.local(datetime.fromisoformat(text)):%-d %b, %H:%M:%S}",
            held=queries.in_digest(message) if message.kind == DIGEST else [],
            digest=find(Message, message.digest_id) if message.digest_id else None,
            mail_is_sent=planning.mail_is_sent(),
            kinds=KINDS,
        )


class MessageReplayView(BaseView):
    """Sending again, a permission of its own."""

    route_base = "/messages"
    class_permission_name = "MessageReplay"
    base_permissions = ["can_edit"]
    method_permission_name = {"replay": "edit", "replay_all": "edit"}
    default_view = "replay_all"

    @expose("/<pk>/replay", methods=["POST"])
    @has_access
    def replay(self, pk: str) -> Any:
        """One."""
        message = _found(pk)
        key = message.id
        try:
            with transaction():
                sending.replay(message)
        except DomainError as error:
            flash(error.message, "danger")
        else:
            flash("It is being sent again.", "success")
        return redirect(url_for("MessageView.show", pk=key))

    @expose("/replay", methods=["POST"])
    @has_access
    def replay_all(self) -> Any:
        """All of a state."""
        try:
            with transaction():
                count = sending.replay_all(request.form.get("state", ""))
        except DomainError as error:
            flash(error.message, "danger")
        else:
            flash(
                f"{count:,} are being sent again." if count else "There was nothing to send again.", "success"
            )
        return redirect(url_for("MessageView.list"))


def _found(pk: str) -> Message:
    message = find(Message, pk)
    if message is None:
        raise NotFound("There is no such message.")
    return message


class ChatChannelForm(PortalForm):
    """A new channel."""

    name = line("Name", required=True, most=100, hint="Such as “IT in Slack”.")
    kinds = SelectMultipleField(
        "What is posted there",
        choices=choices_of(Kind),
        validators=[InputRequired("Choose at least one kind.")],
    )
    address = line(
        "Address",
        most=LONGEST,
        hint="A webhook address of Slack, Teams, Discord, Google Chat or Webex, or an Apprise URL such as "
        "ntfys://push.example.com/topic. It is a secret: it is kept encrypted and never shown whole again.",
        render_kw={"autocomplete": "off"},
    )
    active = BooleanField("In use", default=True)


class EditChatChannelForm(ChatChannelForm):
    """A known channel."""

    address = line(
        "New address",
        most=LONGEST,
        hint="Leave it empty to keep the one it has.",
        render_kw={"autocomplete": "off"},
    )

    def process(self, formdata: Any = None, obj: Any = None, data: Any = None, **values: Any) -> None:
        """The address of the row is sealed, and not for a form."""
        super().process(formdata, obj, data, **values)
        if not formdata:
            self.address.data = ""


class ChatChannelView(PortalModelView):
    """Chat channels of the company."""

    datamodel = PortalInterface(ChatChannel)
    route_base, noun, verbs = "/chat-channels", "ChatChannel", CHANNEL_VERBS
    form, edit_form = ChatChannelForm, EditChatChannelForm
    show_template = "messages/channel.html"
    list_title, add_title, edit_title, show_title = (
        "Chat channels",
        "Add channel",
        "Edit channel",
        "Chat channel",
    )
    list_subtitle = "Where the portal posts for everybody, beside what each person is told."
    empty_hint = "A channel gets each notice of its kinds once, however many people are told of it."
    list_columns = ["name", "kinds", "shown", "active"]
    label_columns = {"shown": "Address", "kinds": "What is posted there", "active": "In use"}
    order_columns = ["name", "updated_at"]
    show_columns = ["name", "kinds", "shown", "active", "created_at", "updated_at"]
    search_columns = ["name", "active"]
    base_order = ("name", "asc")

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.method_permission_name |= {"test": "edit"}

    @expose("/<pk>/test", methods=["POST"])
    @has_access
    def test(self, pk: str) -> Any:
        """Post one now, and say what the server answered."""
        channel = self._item(pk)
        say_what_came(sending.send_test_to(channel))
        return redirect(url_for("ChatChannelView.show", pk=pk))
