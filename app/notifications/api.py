"""The generated API of notices, one's own; of messages and of the company's chat channels, for Admins."""

from marshmallow import fields, validate

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.foundation.schemas import PortalSchema, Text
from app.notifications import channels, chat_addresses
from app.notifications.message_models import Message
from app.notifications.models import Kind, Notification
from app.notifications.preference_models import ChatChannel

CHANNEL_VERBS = Verbs(channels.create_channel, channels.change_channel, channels.remove_channel)


class NotificationApi(PortalModelApi):
    """Notices."""

    datamodel = PortalInterface(Notification)
    resource_name, noun = "notifications", "Notification"
    list_columns = ["id", "kind", "title", "body", "href", "items", "created_at", "read_at"]
    search_columns = ["id", "kind", "title", "created_at", "read_at"]
    order_columns = ["id", "created_at", "read_at"]
    base_order = ("id", "desc")


class MessageApi(PortalModelApi):
    """What left the portal by e-mail and chat, and what became of it."""

    datamodel = PortalInterface(Message)
    resource_name, noun = "messages", "Message"
    list_columns = [
        "id",
        "channel",
        "kind",
        "state",
        "person_id",
        "chat_channel_id",
        "address",
        "subject",
        "message_id",
        "attempts",
        "answer",
        "due_at",
        "finished_at",
        "created_at",
    ]
    show_columns = [*list_columns, "text", "history"]
    search_columns = [
        "id",
        "channel",
        "kind",
        "state",
        "person_id",
        "message_id",
        "created_at",
        "finished_at",
    ]
    order_columns = ["id", "due_at", "finished_at", "created_at"]
    base_order = ("id", "desc")


class ChatChannelSchema(PortalSchema):
    """A channel; its address is written and never read."""

    name = Text(required=True)
    kinds = fields.List(
        fields.String(validate=validate.OneOf(list(Kind), error="There is no such kind of message.")),
        required=True,
        validate=validate.Length(max=len(Kind)),
    )
    address = Text(
        chat_addresses.LONGEST,
        required=True,
        load_only=True,
        metadata={"description": "An Apprise URL; without it a change keeps the one that is there."},
    )
    active = fields.Boolean()


class ChatChannelApi(PortalModelApi):
    """Chat channels of the company."""

    datamodel = PortalInterface(ChatChannel)
    resource_name, noun, verbs, schema = "chat-channels", "ChatChannel", CHANNEL_VERBS, ChatChannelSchema()
    list_columns = ["id", "name", "kinds", "shown", "active", "created_at", "updated_at"]
    search_columns = ["id", "name", "active"]
    order_columns = ["id", "name", "updated_at"]
    base_order = ("id", "asc")
