"""The calendar page, and the address at which calendar programs fetch the same."""

import re
from datetime import date, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.directory import operations as directory
from app.directory.models import Person, Role
from app.foundation import clock
from app.foundation.database import db
from app.payments import feed_operations as feeds
from app.payments import ical, queries, rates_operations
from app.payments import operations as payments
from app.payments.access import own_feed
from app.payments.feed_models import CalendarFeed
from tests.access import seen_by
from tests.visitor import apart


def pay(app, world, name, **fields) -> None:
    with app.app_context():
        payments.change_payment(queries.payment_of(world.products[name]), **fields)
        db.session.commit()


@pytest.fixture
def soon(app, world):
    """A renewal of alice's service, one of bob's product, both of this month or the next."""
    day = clock.today() + timedelta(days=20)
    pay(app, world, "Gmail", next_renewal_date=day.isoformat(), renewal_frequency="monthly", notice_days=10, amount="12.50",
        currency="EUR", expiry_date=day.isoformat(), payment_method="Credit card", card_last4="4242")  # fmt: skip
    pay(
        app,
        world,
        "Slack Business",
        next_renewal_date=day.isoformat(),
        renewal_frequency="yearly",
        amount="99",
    )
    return day


def month_of(day: date) -> str:
    return f"/renewals/?month={day:%Y-%m}"


def test_month_shows_what_comes_and_whose_business_it_is(root, soon):
    page = root.get(month_of(soon)).text
    for shown in ("Google Workspace Gmail", "Slack Business", "EUR 12.50", "Alice", "Bob", f"{soon:%B %Y}",
                  "Renews monthly by itself", "no rate for <strong>EUR</strong>", "4242"):  # fmt: skip
        assert shown in page, shown


def test_sum_of_the_month_names_its_rate(app, root, soon):
    with app.app_context():
        rates_operations.create_rate(currency="EUR", day="2026-01-01", rate="2")
        db.session.commit()
    page = root.get(f"{month_of(soon)}&kind=renewal").text
    assert "together <strong>USD 124.00</strong>" in page
    assert "At EUR 2 of" in page


def test_filters_narrow_and_an_empty_month_says_so(root, soon):
    assert "Slack Business" not in root.get(f"{month_of(soon)}&kind=expiry").text
    assert "Nothing matches" in root.get(f"{month_of(soon)}&mine=1").text
    assert "Nothing comes up in January 2001" in root.get("/renewals/?month=2001-01").text
    day = root.get(f"/renewals/?day={soon.isoformat()}").text
    assert f"{soon:%A, %-d %B %Y}" in day
    assert "Nothing on this day" in root.get("/renewals/?day=2001-01-03").text


@pytest.mark.parametrize(
    "asked",
    ["month=2026-13", "month=x", "month=1999-12", "month=2200-01", "month=9999-99", "month=٢٠٢٦-01", "day=2026-02-30",
     "day=20260201", "day=2026-02-01T00", "kind=weekly", "day=%FF"],
)  # fmt: skip
def test_nonsense_is_refused(root, asked):
    assert root.get(f"/renewals/?{asked}").status_code == 422


@pytest.mark.parametrize("asked", ["month=2000-01", "month=2199-12", "mine=x", "day=2026-02-28&month="])
def test_ends_of_the_calendar_are_pages(root, asked):
    assert root.get(f"/renewals/?{asked}").status_code == 200


def test_renewal_that_nobody_decided_on_is_told_first(app, world, root, monkeypatch):
    day = clock.today() + timedelta(days=1)
    pay(app, world, "Gmail", next_renewal_date=day.isoformat(), auto_renew=False, renewal_frequency="yearly")
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert "One renewal is over, and nobody said what becomes of it" in root.get("/renewals/").text
    assert "is over" not in root.get("/renewals/?kind=expiry").text


def test_administrator_needs_the_grant_and_meets_their_services(alice, bob, charlie, soon, granted):
    page = alice.get(month_of(soon)).text
    assert "Google Workspace Gmail" in page
    assert "Slack Business" not in page
    for visitor in (bob, charlie):
        for path in ("/renewals/", "/renewals/feed/"):
            assert visitor.get(path).status_code == 403
        assert visitor.post("/renewals/feed/", {"whose": "all"}).status_code == 403


def test_without_the_grant_there_is_no_calendar(alice, soon):
    assert alice.get("/renewals/").status_code == 403


def address_of(visitor, whose: str = "all") -> str:
    answer = visitor.post("/renewals/feed/", {"whose": whose})
    assert answer.status_code == 200
    return re.search(r'value="http://[\w.:]+(/calendar/[\w-]+\.ics)"', answer.text)[1]


def fetch(app, path: str, **options):
    return apart(app.test_client().get, path, **options)


def events(answer) -> list:
    assert answer.status_code == 200, answer.text
    return list(Calendar.from_ical(answer.data).walk("VEVENT"))


def test_address_serves_what_its_owner_sees_to_whoever_knows_it(app, root, soon):
    path = address_of(root)
    answer = fetch(app, path)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    found = {(event["UID"], event["DTSTART"].dt): event for event in events(answer)}
    [renewal] = [
        event
        for (uid, day), event in found.items()
        if uid.startswith("renewal-") and day == soon and "Gmail" in event["SUMMARY"]
    ]
    assert renewal["SUMMARY"] == "Google Workspace Gmail renews (EUR 12.50)"
    assert renewal["DTEND"].dt == soon + timedelta(days=1)
    assert "In charge: Alice" in renewal["DESCRIPTION"]
    assert renewal["DTSTAMP"].dt.tzinfo is not None
    assert renewal["URL"].startswith("http://")
    cancels = [event for event in found.values() if event["UID"].startswith("cancel_by-")]
    assert {len(event.walk("VALARM")) for event in cancels} == {2}
    [card] = [event for event in found.values() if event["UID"].startswith("expiry-")]
    assert card["SUMMARY"].startswith("Credit card")
    assert len(found) == len(events(answer)) > 13


def test_names_of_events_stay_and_an_unchanged_calendar_is_not_sent_twice(app, world, root, soon):
    path = address_of(root)
    first = fetch(app, path)
    again = fetch(app, path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    pay(app, world, "Gmail", amount="20.00")
    after = fetch(app, path, headers={"If-None-Match": first.headers["ETag"]})
    assert {event["UID"] for event in events(after)} == {event["UID"] for event in events(first)}
    assert "EUR 20.00" in after.text


def test_address_shows_the_rights_of_the_moment(app, world, root, alice, soon, granted):
    path = address_of(alice)
    assert {"Gmail" in str(event) or "Credit card" in str(event) for event in events(fetch(app, path))} == {
        True
    }
    with app.app_context():
        security = app.appbuilder.sm
        role = db.session.scalars(select(Role).where(Role.name == "ServiceAdministrator")).one()
        security.del_permission_role(role, security.find_permission_view_menu("can_read", "PaymentInfo"))
        db.session.commit()
    assert fetch(app, path).status_code == 404


def test_rights_of_a_browser_that_fetches_do_not_count(app, root, charlie, alice, soon, granted):
    """The address of alice in root's browser is hers, and in charlie's too."""
    path = address_of(alice)
    for visitor in (root, charlie):
        assert "Slack" not in visitor.get(path).text
        assert "Gmail" in visitor.get(path).text


def test_mine_holds_what_one_is_in_charge_of(app, root, soon):
    assert events(fetch(app, address_of(root, "mine"))) == []


def test_renewed_or_revoked_address_is_gone(app, root, soon):
    first = address_of(root)
    second = address_of(root)
    assert (fetch(app, first).status_code, fetch(app, second).status_code) == (404, 200)
    page = root.get("/renewals/feed/").text
    assert "Last fetched" in page
    assert "Never" not in page
    assert second not in page
    assert root.post("/renewals/feed/revoke").status_code == 302
    assert root.post("/renewals/feed/revoke").status_code == 302
    assert fetch(app, second).status_code == 404
    with app.app_context():
        kept = db.session.scalars(select(CalendarFeed)).all()
        assert {one.revoked_at is not None for one in kept} == {True}
        entries = db.session.scalars(
            select(AuditEntry).where(AuditEntry.target_type == "calendar_feed")
        ).all()
        assert {one.action for one in entries} == {"calendar_feed.create", "calendar_feed.update"}
        assert second.split("/")[-1].removesuffix(".ics") not in str([one.after for one in entries])


def test_address_of_somebody_deactivated_is_gone_for_good(app, world, alice, soon, granted):
    path = address_of(alice)
    with app.app_context():
        person = db.session.get(Person, world.people["alice"])
        directory.deactivate_person(person)
        db.session.commit()
    assert fetch(app, path).status_code == 404
    with app.app_context():
        directory.change_person(db.session.get(Person, world.people["alice"]), active=True)
        directory.ensure_account(db.session.get(Person, world.people["alice"])).active = True
        db.session.commit()
    assert fetch(app, path).status_code == 404


def test_very_many_entries_are_cut_and_it_says_so(app, root, soon, monkeypatch):
    monkeypatch.setattr(ical, "MOST_EVENTS", 2)
    answer = fetch(app, address_of(root))
    assert len(events(answer)) == 2
    assert "The first 2 entries\\, until " in answer.text


@pytest.mark.parametrize("secret", ["x", "é", "a" * 5_000, "..%2f"])
def test_unknown_address_is_not_found(app, secret):
    assert fetch(app, f"/calendar/{secret}.ics").status_code == 404


def test_fetch_is_noted_once_a_minute_and_costs_few_statements(app, root, soon, statements, monkeypatch):
    path = address_of(root)
    fetch(app, path)
    with statements() as seen:
        fetch(app, path)
    assert len(seen) <= 7
    with app.app_context():
        noted = db.session.scalar(select(CalendarFeed.last_fetched_at))
    later = clock.now() + timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    fetch(app, path)
    with app.app_context():
        assert db.session.scalar(select(CalendarFeed.last_fetched_at)) > noted


def test_address_is_one_s_own_and_no_admin_s(context, world, viewer_of):
    accounts = dict(db.session.execute(select(Person.name, Person.account_id)).all())
    for name in ("Root", "Alice"):
        feeds.open_feed(accounts[name], mine=True)
    alice = viewer_of("alice")
    own = type(alice)(alice.id, accounts["Alice"], alice.name, alice.email, alice.roles)
    assert seen_by(own, CalendarFeed, CalendarFeed.account_id) == {accounts["Alice"]}
    root = viewer_of("root")
    own = type(root)(root.id, accounts["Root"], root.name, root.email, root.roles)
    assert seen_by(own, CalendarFeed, CalendarFeed.account_id) == {accounts["Root"]}
    assert own_feed(own) is not None


def test_time_of_an_entry_is_when_the_payment_changed(app, world, root, soon):
    with app.app_context():
        changed = queries.payment_of(world.products["Gmail"]).updated_at.replace(microsecond=0)
    found = events(fetch(app, address_of(root)))
    assert {event["DTSTAMP"].dt for event in found if "Gmail" in event["SUMMARY"]} == {changed}
