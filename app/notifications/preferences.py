"""How people are told: their own choices over the company's over `DEFAULTS`; read for many at a time, changed for one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from app.directory.models import Person
from app.foundation.database import among, db
from app.foundation.errors import InvalidInput
from app.foundation.scoping import unscoped
from app.foundation.sealing import seal
from app.notifications.models import Kind
from app.notifications.preference_models import Channel, Choice, MessageChoice, MessageSettings

DIGEST_HOUR = 8
DEFAULTS = {kind: Choice.DIGEST if kind is Kind.ACCESS else Choice.AT_ONCE for kind in Kind}
# What these say can't wait for the morning.
URGENT = frozenset({Kind.ESCALATION})

Key = tuple[Kind, Channel]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody to be told, and how."""

    id: int
    name: str
    email: str
    chat_shown: str | None
    quiet_from: time | None
    quiet_until: time | None
    digest_hour: int
    own: dict[Key, Choice]
    company: dict[Key, Choice]

    def choice(self, kind: Kind, channel: Channel) -> Choice:
        """Off where there is no address to send to."""
        if channel is Channel.CHAT and not self.chat_shown:
            return Choice.OFF
        return self.preference(kind, channel)

    def preference(self, kind: Kind, channel: Channel) -> Choice:
        """What holds for them, whoever chose it."""
        key = (kind, channel)
        return self.own.get(key) or self.company.get(key) or DEFAULTS[kind]


def readers(person_ids: Collection[int]) -> dict[int, Reader]:
    """Those of these people who still work here, in two statements however many they are."""
    keys = sorted(set(person_ids))
    with unscoped():
        chosen = _choices(keys)
        rows = db.session.execute(_reader_rows().where(among(Person.id, keys), Person.active)).all()
    company = chosen.get(None, {})
    return {
        row.id: Reader(
            row.id,
            row.name,
            row.email,
            row.chat_shown,
            *_quiet(row),
            _first(row.digest_hour, row.company_hour, DIGEST_HOUR),
            chosen.get(row.id, {}),
            company,
        )
        for row in rows
    }


def _quiet(row: Any) -> tuple[time | None, time | None]:
    """One's own quiet hours; the company's for who has no settings."""
    if row.has_own:
        return row.quiet_from, row.quiet_until
    return row.company_from, row.company_until


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)


def _reader_rows() -> Any:
    own, company = aliased(MessageSettings), aliased(MessageSettings)
    return (
        select(
            Person.id,
            Person.name,
            Person.email,
            own.id.is_not(None).label("has_own"),
            own.chat_shown,
            own.quiet_from,
            own.quiet_until,
            own.digest_hour,
            company.quiet_from.label("company_from"),
            company.quiet_until.label("company_until"),
            company.digest_hour.label("company_hour"),
        )
        .outerjoin(own, own.person_id == Person.id)
        .outerjoin(company, company.person_id.is_(None))
    )


def _choices(keys: Sequence[int]) -> dict[int | None, dict[Key, Choice]]:
    query = select(MessageChoice.person_id, MessageChoice.kind, MessageChoice.channel, MessageChoice.choice)
    wanted = query.where(or_(among(MessageChoice.person_id, keys), MessageChoice.person_id.is_(None)))
    found: dict[int | None, dict[Key, Choice]] = {}
    for person_id, kind, channel, choice in db.session.execute(wanted):
        found.setdefault(person_id, {})[Kind(kind), Channel(channel)] = Choice(choice)
    return found


def company_choices() -> dict[Key, Choice]:
    """What an Admin chose for everybody."""
    return _choices([]).get(None, {})


def settings_of(person_id: int | None) -> MessageSettings | None:
    """Somebody's row, or the company's; None if they never chose."""
    rule = (
        MessageSettings.person_id.is_(None) if person_id is None else MessageSettings.person_id == person_id
    )
    return db.session.scalar(select(MessageSettings).where(rule))


def choose(person_id: int | None, wanted: Mapping[Key, Choice | None]) -> None:
    """Set choices of a person, or without one of the company; None takes a choice back. What is not named stays."""
    mine = MessageChoice.person_id.is_(None) if person_id is None else MessageChoice.person_id == person_id
    known = {
        (Kind(row.kind), Channel(row.channel)): row
        for row in db.session.scalars(select(MessageChoice).where(mine))
    }
    for (kind, channel), choice in wanted.items():
        row = known.get((kind, channel))
        if choice is None:
            if row is not None:
                db.session.delete(row)
        elif row is None:
            db.session.add(MessageChoice(person_id=person_id, kind=kind, channel=channel, choice=choice))
        elif row.choice != choice:
            row.choice = choice
    db.session.flush()


def change_hours(
    person_id: int | None, *, quiet_from: time | None, quiet_until: time | None, digest_hour: int | None
) -> MessageSettings:
    """Set quiet hours and the hour of the digest. InvalidInput if only one end of the quiet hours is given."""
    if (quiet_from is None) != (quiet_until is None):
        missing = "quiet_until" if quiet_until is None else "quiet_from"
        raise InvalidInput(**{missing: "Quiet hours need both times, or neither."})
    if digest_hour is not None and not 0 <= digest_hour <= 23:
        raise InvalidInput(digest_hour="Choose an hour from 0 to 23.")
    row = _settings(person_id)
    row.quiet_from, row.quiet_until, row.digest_hour = quiet_from, quiet_until, digest_hour
    db.session.flush()
    return row


def keep_chat_address(person_id: int, url: str | None, shown: str | None) -> None:
    """Keep a checked address (`chat_addresses.check`), or forget it."""
    row = _settings(person_id)
    row.chat_address, row.chat_shown = (seal(url), shown) if url else (None, None)
    db.session.flush()


def _settings(person_id: int | None) -> MessageSettings:
    """The row, made with what holds so far: a row of one's own is asked alone."""
    row = settings_of(person_id)
    if row is None:
        company = settings_of(None) if person_id is not None else None
        row = MessageSettings(person_id=person_id)
        if company:
            row.quiet_from, row.quiet_until = company.quiet_from, company.quiet_until
        db.session.add(row)
        db.session.flush()
    return row


def unsubscribe(person_id: int, kinds: Collection[Kind]) -> None:
    """No mail of these kinds any more; in the portal, and in a chat, they are told all the same."""
    with unscoped():
        choose(person_id, {(kind, Channel.EMAIL): Choice.OFF for kind in kinds})
