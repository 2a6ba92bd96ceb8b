"""The pages of outgoing webhooks: endpoints, the log of each, one delivery with its attempts, the event types."""

import json
from datetime import datetime, time
from typing import Any

from flask import current_app, flash, g, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from wtforms import BooleanField, DateField, Form, SelectChoice, SelectField, SelectMultipleField
from wtforms.validators import Optional

from app.foundation import clock
from app.foundation.errors import Conflict, DomainError, InvalidInput, NotFound
from app.foundation.fab import PortalInterface
from app.foundation.forms import PortalForm, line
from app.foundation.reachable import LONGEST_URL
from app.foundation.references import parse_key
from app.foundation.sealing import Unreadable
from app.foundation.transactions import transaction
from app.foundation.views import PortalModelView, PortalView
from app.webhooks import catalogue, queries
from app.webhooks import operations as webhooks
from app.webhooks.api import ENDPOINT_VERBS
from app.webhooks.checklist import CheckList
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from app.webhooks.shapes import described

PAGE = 25
CHOICES = [SelectChoice(one.name, one.when) for one in catalogue.EVENT_TYPES]


class EndpointForm(PortalForm):
    """Who is told what."""

    name = line("Name", required=True, hint="The other system, such as “Ticket system”.")
    url = line(
        "Address",
        required=True,
        most=LONGEST_URL,
        hint="Where messages are posted to. The internet by https, unless the settings allow more.",
    )
    enabled = BooleanField(
        "On", default=True, description="What has not arrived when it is turned off has failed."
    )
    every_event = BooleanField(
        "Every event",
        description="Also those that come with later versions. The list below does not count then.",
    )
    event_types = SelectMultipleField("Event types", choices=CHOICES, widget=CheckList())


class ReplayForm(Form):
    """Since when."""

    since = DateField("Since", validators=[Optional()])


class LogForm(Form):
    """The filters of the log; a GET form, so that a view of it has an address."""

    state = SelectField("State", choices=["", *(state.value for state in DeliveryState)], default="")
    type = SelectField(
        "Event type",
        choices=[
            SelectChoice("", "Every event type"),
            *(SelectChoice(name) for name in (*catalogue.BY_NAME, catalogue.TEST.name)),
        ],
        default="",
    )


class WebhookEndpointView(PortalModelView):
    """Endpoints, and what can be done with one."""

    datamodel = PortalInterface(WebhookEndpoint)
    route_base, noun, verbs, form = "/webhooks", "WebhookEndpoint", ENDPOINT_VERBS, EndpointForm
    list_template, show_template = "webhooks/endpoints.html", "webhooks/endpoint.html"
    list_title, add_title, edit_title, show_title = "Webhooks", "Add endpoint", "Edit endpoint", "Endpoint"
    list_subtitle = "Other systems that are told what happens here, in signed messages."
    empty_hint = "Add the address of a system that wants to know when somebody joins, leaves or gets access."
    delete_text = "It is told nothing any more, and its log of deliveries goes with it."
    list_columns = ["name", "url", "state", "hears", "last_success_at"]
    label_columns = {"url": "Address", "hears": "Is told", "last_success_at": "Last arrived"}
    order_columns = ["name", "last_success_at"]
    show_columns = ["name", "url", "state", "hears", "last_success_at", "failing_since", "disabled_reason"]
    search_columns = ["name", "url", "enabled"]
    base_order = ("name", "asc")

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.method_permission_name |= {
            "events": "read",
            **dict.fromkeys(("reveal", "rotate", "test", "replay_failed", "replay"), "edit"),
        }

    def post_add_redirect(self) -> Any:
        """To the new endpoint, where its secret waits to be read."""
        return redirect(url_for(".show", pk=g.made_endpoint))

    def write(self, form: Any, item: Any | None) -> None:
        """By the room's verbs; a new one is shown next."""
        if item is not None:
            super().write(form, item)
            return
        made = webhooks.create_endpoint(**{name: form[name].data for name in form.declared()})
        g.made_endpoint = made.id

    @expose("/show/<pk>", methods=["GET"])
    @has_access
    @permission_name("show")
    def show(self, pk: Any) -> Any:
        """One endpoint with its log."""
        return self._page(self._item(pk))

    @expose("/<pk>/secret", methods=["POST"])
    @has_access
    def reveal(self, pk: str) -> Any:
        """The secret, once."""
        return self._with_secret(pk, webhooks.reveal_secret)

    @expose("/<pk>/rotate", methods=["POST"])
    @has_access
    def rotate(self, pk: str) -> Any:
        """A new secret, on the page that answers and on no other."""
        return self._with_secret(pk, webhooks.rotate_secret)

    @expose("/<pk>/test", methods=["POST"])
    @has_access
    def test(self, pk: str) -> Any:
        """Send a test now, and show what was answered. Nothing is open in the database while it is on its way."""
        with transaction():
            call = webhooks.start_test(self._item(pk))
        outcome = webhooks.make_call(call, current_app.config["OUTGOING"])
        with transaction():
            webhooks.record(call, outcome)
        if outcome.has_arrived:
            flash(f"The test arrived: answered {outcome.status} in {outcome.milliseconds:,} ms.", "success")
        else:
            flash(f"The test did not arrive. {outcome.problem}", "danger")
        return redirect(url_for("WebhookDeliveryView.show", pk=call.delivery_id))

    @expose("/<pk>/replay", methods=["POST"])
    @has_access
    def replay_failed(self, pk: str) -> Any:
        """All that failed, or what failed since a day."""
        form = ReplayForm(request.form)
        try:
            if not form.validate():
                raise InvalidInput(since="Choose the first day to replay, or none for all.")
            day = form.since.data
            since = datetime.combine(day, time(), clock.zone()) if day else None
            with transaction():
                count = webhooks.replay_failed(self._item(pk), since)
        except DomainError as error:
            flash(error.message, "danger")
        else:
            flash(f"{count:,} will be sent again." if count else "Nothing has failed since then.", "success")
        return redirect(url_for(".show", pk=pk))

    @expose("/deliveries/<pk>/replay", methods=["POST"])
    @has_access
    def replay(self, pk: str) -> Any:
        """One delivery."""
        delivery = _delivery(pk)
        try:
            with transaction():
                webhooks.replay(delivery)
        except Conflict as error:
            flash(error.message, "danger")
        else:
            flash("It will be sent again now.", "success")
        return redirect(url_for("WebhookDeliveryView.show", pk=pk))

    @expose("/events")
    @has_access
    def events(self) -> Any:
        """Every event type with its fields and an example."""
        types = [
            {
                "type": one,
                "fields": described(one.shape),
                "example": json.dumps(one.example, indent=2, ensure_ascii=False),
            }
            for one in (*catalogue.EVENT_TYPES, catalogue.TEST)
        ]
        return self.render_template("webhooks/events.html", title="Event types", types=types)

    def _with_secret(self, pk: str, verb: Any) -> Any:
        endpoint = self._item(pk)
        try:
            with transaction():
                secret = verb(endpoint)
        except (Conflict, Unreadable) as error:
            flash(str(error), "danger")
            return redirect(url_for(".show", pk=pk))
        return self._page(self._item(pk), secret)

    def _page(self, endpoint: WebhookEndpoint, secret: str | None = None) -> Any:
        form = LogForm(request.args)
        fits = form.validate()
        found = (
            queries.deliveries_to(
                endpoint,
                state=form.state.data or "",
                type_=form.type.data or "",
                before=parse_key(request.args.get("before")),
                size=PAGE + 1,
            )
            if fits
            else []
        )
        return self.render_template(
            self.show_template,
            title=endpoint.name,
            endpoint=endpoint,
            view=self,
            secret=secret,
            now=clock.now(),
            form=form,
            counts=queries.open_counts(endpoint),
            deliveries=found[:PAGE],
            older=found[PAGE - 1].id if len(found) > PAGE else None,
        )


class WebhookDeliveryView(PortalView):
    """One delivery: what was sent, and what each attempt was answered."""

    route_base = "/webhooks/deliveries"
    noun = "WebhookDelivery"
    base_permissions = ["can_read"]
    default_view = "show"

    @expose("/<pk>")
    @has_access
    @permission_name("read")
    def show(self, pk: str) -> Any:
        """With every attempt, the latest first."""
        delivery = _delivery(pk)
        body = json.dumps(json.loads(delivery.message.body), indent=2, ensure_ascii=False)
        return self.render_template(
            "webhooks/delivery.html",
            title=str(delivery),
            delivery=delivery,
            body=body,
            waiting=DeliveryState.WAITING,
        )


def _delivery(pk: str) -> WebhookDelivery:
    delivery = queries.delivery_of(pk)
    if delivery is None:
        raise NotFound("There is no such delivery, or you may not see it.")
    return delivery
