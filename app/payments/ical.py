"""What is coming, as calendar programs read it (RFC 5545, with the name and the refresh interval of RFC 7986)."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from icalendar import Alarm, Calendar, Event, vText

from app.foundation.currencies import for_people
from app.payments.agenda import Entry, Kind

BEHIND, AHEAD = timedelta(days=31), timedelta(days=400)
MOST_EVENTS = 2_000
MOST_THINGS = 20
REFRESH = timedelta(hours=6)
# Reminders of the last day to cancel: at nine in the morning, a week and a day before.
ALARMS = (timedelta(days=-7, hours=9), timedelta(days=-1, hours=9))


def calendar_of(entries: Sequence[Entry], *, name: str, product: str, pages: str) -> bytes:
    """An all-day event for each entry; `pages` is where a product's id leads to its payments.

    Of very many the first ones are taken, and the calendar says until when they reach.
    """
    calendar = Calendar()
    calendar.add("prodid", f"-//{product}//Renewals//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", vText(name))
    calendar.add("refresh-interval", REFRESH, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT6H")
    if len(entries) > MOST_EVENTS:
        until = entries[MOST_EVENTS - 1].day.isoformat()
        calendar.add("x-wr-caldesc", vText(f"The first {MOST_EVENTS:,} entries, until {until}."))
    for entry in entries[:MOST_EVENTS]:
        calendar.add_component(_event(entry, pages))
    return calendar.to_ical()


def _event(entry: Entry, pages: str) -> Event:
    event = Event()
    event.add("uid", _uid(entry))
    event.add("dtstamp", entry.changed_at)
    event.add("last-modified", entry.changed_at)
    event.add("dtstart", entry.day)
    event.add("dtend", entry.day + timedelta(days=1))
    event.add("summary", _summary(entry))
    event.add("description", _description(entry))
    event.add("url", f"{pages}{entry.things[0].product_id}")
    event.add("categories", [entry.kind.replace("_", " ").capitalize()])
    event.add("transp", "TRANSPARENT")
    if entry.kind is Kind.CANCEL_BY:
        for before in ALARMS:
            event.add_component(_alarm(entry, before))
    return event


def _uid(entry: Entry) -> str:
    """The same for the same fact at every fetch, whatever else changes about it."""
    if entry.kind is Kind.EXPIRY:
        card = "\n".join(str(part) for part in (entry.method, entry.last4, entry.holder))
        about = hashlib.sha256(card.encode()).hexdigest()[:20]
    else:
        about = str(entry.things[0].product_id)
    return f"{entry.kind}-{about}-{(entry.renewal or entry.day).isoformat()}@portalops"


def _summary(entry: Entry) -> str:
    if entry.kind is Kind.CANCEL_BY:
        return f"Last day to cancel {entry.title}"
    if entry.kind is Kind.EXPIRY:
        return f"{entry.title} expires"
    price = "" if entry.amount is None else f" ({for_people(entry.amount, entry.currency)})"
    return f"{entry.title} renews{price}"


def _description(entry: Entry) -> str:
    lines = []
    if entry.kind is Kind.CANCEL_BY and entry.renewal:
        lines.append(f"Otherwise it renews on {entry.renewal:%d} {entry.renewal:%b} {entry.renewal:%Y}.")
    if entry.kind is Kind.RENEWAL and not entry.auto_renew:
        lines.append("It does not renew by itself.")
    if entry.kind is Kind.EXPIRY:
        names = [thing.name for thing in entry.things[:MOST_THINGS]]
        more = len(entry.things) - len(names)
        lines.append(f"It pays for {', '.join(names)}{f' and {more} more' if more else ''}.")
    if entry.owners:
        lines.append(f"In charge: {', '.join(owner.name for owner in entry.owners)}")
    return "\n".join(lines)


def _alarm(entry: Entry, before: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", before)
    alarm.add("description", _summary(entry))
    return alarm
