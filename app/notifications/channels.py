"""Chat channels of the company: named, with the kinds that are posted there."""

from collections.abc import Sequence
from typing import Any

from app.foundation.database import assign, db
from app.foundation.errors import InvalidInput
from app.foundation.sealing import seal
from app.notifications import chat_addresses
from app.notifications.models import Kind
from app.notifications.preference_models import ChatChannel


def create_channel(
    *, name: str, kinds: Sequence[str], address: str | None, active: bool = True
) -> ChatChannel:
    """Add a channel. InvalidInput for an address that nothing can be posted to."""
    if not address:
        raise InvalidInput(address="This field is required.")
    checked = chat_addresses.check(address, "address")
    channel = ChatChannel(name=name.strip(), kinds=_known(kinds), active=active)
    channel.address, channel.shown = seal(checked.url), checked.shown
    db.session.add(channel)
    db.session.flush()
    return channel


def change_channel(channel: ChatChannel, **fields: Any) -> ChatChannel:
    """Change a channel; no address keeps the one it has."""
    if fields.get("address"):
        checked = chat_addresses.check(fields["address"], "address")
        channel.address, channel.shown = seal(checked.url), checked.shown
    if "kinds" in fields:
        channel.kinds = _known(fields["kinds"])
    assign(channel, fields, ("name", "active"))
    db.session.flush()
    return channel


def remove_channel(channel: ChatChannel) -> None:
    """Nothing is posted there any more; what was stays in the log."""
    db.session.delete(channel)
    db.session.flush()


def _known(kinds: Sequence[str]) -> list[str]:
    unknown = [kind for kind in kinds if kind not in set(Kind)]
    if unknown or not kinds:
        raise InvalidInput(kinds=f"Choose one or more of: {', '.join(Kind)}.")
    return [kind.value for kind in Kind if kind in kinds]
