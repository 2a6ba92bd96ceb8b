"""The page of one's own calendar address, and what is fetched there."""

import hashlib
from typing import Any

from flask import Response, current_app, flash, g, make_response, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from wtforms import RadioField, SelectChoice

from app.directory import callers
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import NotFound
from app.foundation.forms import PortalForm
from app.foundation.transactions import transaction
from app.foundation.viewer import viewing_as
from app.payments import agenda, ical
from app.payments import feed_operations as feeds
from app.payments.api import PAYMENT_VERBS
from app.payments.feed_models import CalendarFeed

WHOSE = [SelectChoice("mine", "What I am in charge of"), SelectChoice("all", "Everything I may see")]


class FeedForm(PortalForm):
    """A new address."""

    whose = RadioField("What is in it", choices=WHOSE, default="mine")


class CalendarFeedView(BaseView):
    """Make, renew or revoke the address. It belongs to whoever may read payments, and is their own."""

    route_base = "/renewals/feed"
    class_permission_name = "PaymentInfo"
    base_permissions = PAYMENT_VERBS.permissions()
    method_permission_name = {"page": "read", "make": "read", "revoke": "read"}
    default_view = "page"

    @expose("/")
    @has_access
    def page(self) -> Any:
        """Whether there is an address, and when it was last fetched."""
        return self._page()

    @expose("/", methods=["POST"])
    @has_access
    def make(self) -> Any:
        """The address is on the page that answers, and on no other."""
        form = FeedForm()
        if not form.validate():
            return self._page(form), 422
        with transaction():
            feed, secret = feeds.open_feed(g.user.id, mine=form.whose.data == "mine")
        return self._page(address=_root() + url_for("CalendarView.fetch", secret=secret), made=feed)

    @expose("/revoke", methods=["POST"])
    @has_access
    def revoke(self) -> Any:
        """At once."""
        feed = feeds.feed_of(g.user.id)
        if feed is not None:
            with transaction():
                feeds.revoke_feed(feed)
        flash("The address is revoked. Calendars that fetch it get nothing any more.", "success")
        return redirect(url_for("CalendarFeedView.page"))

    def _page(self, form: FeedForm | None = None, **more: Any) -> Any:
        return self.render_template(
            "payments/feed.html",
            title="Calendar address",
            form=form or FeedForm(formdata=None),
            feed=feeds.feed_of(g.user.id),
            **more,
        )


class CalendarView(BaseView):
    """What calendar programs fetch. Public, because the address is the proof."""

    route_base = "/calendar"

    @expose("/<secret>.ics")
    def fetch(self, secret: str) -> Response:
        """The owner's renewals as their rights are now; an address that is not good (any more) is a 404."""
        feed = feeds.feed_at(secret)
        owner = callers.by_account(feed.account_id) if feed else None
        if feed is None or owner is None:
            raise NotFound("There is no such calendar.")
        g.pop("added_permissions", None)
        with viewing_as(owner.viewer):
            if not self.appbuilder.sm.has_access("can_read", "PaymentInfo"):
                raise NotFound("There is no such calendar.")
            found = _entries(feed, owner.viewer.id)
        if feeds.note_fetch(feed):
            db.session.commit()
        return _answer(found)


def _entries(feed: CalendarFeed, owner_id: int | None) -> list[agenda.Entry]:
    today = clock.today()
    return agenda.entries(today - ical.BEHIND, today + ical.AHEAD, owner_id=owner_id if feed.mine else None)


def _answer(found: list[agenda.Entry]) -> Response:
    """With an ETag, because calendar programs ask again and again: what is unchanged is not even written."""
    name, pages = (
        current_app.config["APP_NAME"],
        f"{_root()}{url_for('PaymentHistoryView.product', pk=0)[:-1]}",
    )
    told = repr((current_app.config["VERSION"], name, pages, found))
    tag = hashlib.sha256(told.encode()).hexdigest()[:32]
    response = make_response()
    if not request.if_none_match.contains(tag):
        response.data = ical.calendar_of(found, name=f"{name} renewals", product=name, pages=pages)
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'inline; filename="renewals.ics"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    response.set_etag(tag)
    response.make_conditional(request)
    return response


def _root() -> str:
    return str(current_app.config["PUBLIC_URL"] or request.url_root).rstrip("/")
