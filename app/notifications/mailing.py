"""What a message says: its subject, plain text, and HTML in the portal's look. Rendered once, when it is decided."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from app.foundation.schemas import UNFIT
from app.notifications.models import Kind
from app.notifications.preference_models import Channel

KIND_WORDS = {
    Kind.TASK: "Tasks given to you",
    Kind.PENDING_TASKS: "Reminders of open tasks",
    Kind.ESCALATION: "Escalations",
    Kind.PAYMENTS: "Payments and renewals",
    Kind.ACCESS: "Access that begins or ends",
    Kind.MACHINERY: "The portal's own health",
}
MOST_ITEMS = 100
MOST_ENTRIES = 200
LONGEST_BODY = 4_000
LONGEST_SUBJECT = 150


@dataclass(frozen=True, slots=True)
class Entry:
    """One notice, as a message tells it. `href` and those of the items are paths in the portal."""

    kind: str
    title: str
    body: str | None = None
    href: str | None = None
    items: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """What is kept of a message. `html` is for mail only."""

    subject: str
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Entries of one kind in a digest."""

    title: str
    entries: list[Entry] = field(default_factory=list)


def single(entry: Entry, channel: Channel) -> Content:
    """One notice."""
    return _rendered(entry.title, [Group("", [entry])], channel, why=KIND_WORDS[Kind(entry.kind)])


def digest(entries: Sequence[Entry], channel: Channel, unsubscribe: str | None) -> Content:
    """Several notices, by kind in the order of `Kind`."""
    groups = [
        Group(KIND_WORDS[kind], [entry for entry in entries[:MOST_ENTRIES] if entry.kind == kind])
        for kind in Kind
    ]
    count = len(entries)
    subject = f"{count} things to know" if count > 1 else entries[0].title
    return _rendered(
        subject,
        [group for group in groups if group.entries],
        channel,
        left_out=max(count - MOST_ENTRIES, 0),
        unsubscribe=unsubscribe,
    )


def test_message(channel: Channel) -> Content:
    """What "Send a test" sends."""
    name = current_app.config["APP_NAME"]
    entry = Entry(
        "", f"A test from {name}", "It works: this is how messages reach you.", "/me/notifications/"
    )
    return _rendered(entry.title, [Group("", [entry])], channel)


def _rendered(subject: str, groups: list[Group], channel: Channel, **more: Any) -> Content:
    look = {
        "subject": one_line(subject),
        "groups": groups,
        "name": current_app.config["APP_NAME"],
        "root": root(),
        "most_items": MOST_ITEMS,
        "longest_body": LONGEST_BODY,
        "left_out": 0,
        "unsubscribe": None,
        "why": None,
        "channel": channel.value,
    } | more
    text = _template("mail/message.txt").render(look).strip() + "\n"
    html = _template("mail/message.html").render(look) if channel is Channel.EMAIL else None
    return Content(one_line(subject), text, html)


def _template(name: str) -> Any:
    return current_app.jinja_env.get_template(name)


def root() -> str:
    """Where links lead."""
    return str(current_app.config["PUBLIC_URL"]).rstrip("/")


def one_line(text: str, most: int = LONGEST_SUBJECT) -> str:
    """A subject or a name: without line ends and control characters, and not endless."""
    plain = " ".join(UNFIT.sub(" ", text).split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def new_message_id() -> str:
    """A Message-ID of our own, the same at each attempt."""
    domain = urlsplit(root()).hostname or "portalops"
    return f"<{uuid4().hex}@{domain}>"


def unsubscribe_address(person_id: int, kinds: Iterable[str]) -> str:
    """Where one click ends mails of these kinds to this person, without a sign-in: the signature is the proof."""
    token = _signer().dumps([person_id, sorted(set(kinds))])
    return f"{root()}/unsubscribe/{token if isinstance(token, str) else token.decode()}"


def read_unsubscribe(token: str) -> tuple[int, list[Kind]] | None:
    """Whom and what an address of ours is about; None for any other."""
    try:
        person_id, kinds = _signer().loads(token)
        return int(person_id), [Kind(kind) for kind in kinds]
    except (BadSignature, ValueError, TypeError):
        return None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="unsubscribe from mail")


def entry_of(notice: Any) -> Entry:
    """A notice, or what was left of it, as an entry."""
    return Entry(notice.kind, notice.title, notice.body, notice.href, tuple(notice.items or ()))
