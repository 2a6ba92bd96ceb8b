"""What the pages of preferences send: a choice for each kind and channel, quiet hours, the hour of the digest."""

from collections.abc import Iterable, Mapping

from wtforms import SelectChoice, SelectField, TimeField
from wtforms.validators import Optional

from app.directory.access import is_administrator
from app.foundation.errors import InvalidInput
from app.foundation.forms import PortalForm, line
from app.foundation.viewer import Viewer
from app.notifications.chat_addresses import LONGEST
from app.notifications.mailing import KIND_WORDS
from app.notifications.models import Kind
from app.notifications.preference_models import Channel, Choice
from app.notifications.preferences import DIGEST_HOUR, Key

CHOICE_WORDS = {Choice.AT_ONCE: "At once", Choice.DIGEST: "Daily digest", Choice.OFF: "Off"}
KIND_HINTS = {
    Kind.TASK: "A task is given to you.",
    Kind.PENDING_TASKS: "What is open and overdue, once a week.",
    Kind.ESCALATION: "A task of somebody else is long overdue. Never waits for quiet hours to end.",
    Kind.PAYMENTS: "Cards that expire, renewals, last days to cancel.",
    Kind.ACCESS: "Access of yours, or that you administer, begins or ends.",
    Kind.MACHINERY: "Messages or webhooks that failed, an audit log that does not hold.",
}
KIND_ICONS = {
    Kind.TASK: "check-square",
    Kind.PENDING_TASKS: "clock",
    Kind.ESCALATION: "flag",
    Kind.PAYMENTS: "card",
    Kind.ACCESS: "key",
    Kind.MACHINERY: "server",
}


def hour_choices(otherwise: int) -> list[SelectChoice]:
    """Every hour, and whichever holds for who chooses none."""
    hours = [SelectChoice(str(hour), f"{hour}:00") for hour in range(24)]
    return [SelectChoice("", f"{otherwise}:00 (default)"), *hours]


class HoursForm(PortalForm):
    """When messages may come."""

    quiet_from = TimeField("Quiet from", validators=[Optional()])
    quiet_until = TimeField("Quiet until", validators=[Optional()])
    digest_hour = SelectField("Daily digest at", choices=[], default="")

    def offer_hours(self, otherwise: int | None) -> "HoursForm":
        """What the select offers; the company's own has nothing above it."""
        offered = hour_choices(DIGEST_HOUR if otherwise is None else otherwise)
        self.digest_hour.choices = offered
        return self

    @property
    def hour(self) -> int | None:
        """The hour that was chosen, if any."""
        return int(self.digest_hour.data) if self.digest_hour.data else None


class ChatAddressForm(PortalForm):
    """One's own chat address."""

    chat_address = line("Address", required=True, most=LONGEST, render_kw={"autocomplete": "off"})


def kinds_for(viewer: Viewer) -> list[Kind]:
    """The kinds that somebody may ever be told of."""
    shown = [Kind.TASK, Kind.PENDING_TASKS, Kind.ACCESS]
    if is_administrator(viewer):
        shown += [Kind.ESCALATION, Kind.PAYMENTS]
    return [kind for kind in Kind if kind in shown or viewer.is_admin]


def field_name(kind: Kind, channel: Channel) -> str:
    """What the select for a kind and a channel is called."""
    return f"{kind.value}.{channel.value}"


def read_choices(sent: Mapping[str, str], kinds: Iterable[Kind]) -> dict[Key, Choice | None]:
    """The choices in a form that was sent; an empty one takes a choice back. InvalidInput for what is none."""
    found: dict[Key, Choice | None] = {}
    for kind in kinds:
        for channel in Channel:
            value = sent.get(field_name(kind, channel))
            if value is None:
                continue
            if value and value not in set(Choice):
                raise InvalidInput(f"{KIND_WORDS[kind]}: choose one of {', '.join(CHOICE_WORDS.values())}.")
            found[kind, channel] = Choice(value) if value else None
    return found
