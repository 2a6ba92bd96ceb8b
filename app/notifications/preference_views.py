"""How I am told, and the company's defaults: two pages of the same look."""

from typing import Any

from flask import current_app, flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access

from app.foundation.actor import acting_as
from app.foundation.errors import Conflict, DomainError, NotFound
from app.foundation.transactions import transaction
from app.foundation.viewer import Viewer, current_viewer
from app.foundation.views import show_refusal
from app.notifications import chat_addresses, mailing, planning, preferences, sending
from app.notifications.message_models import Message, MessageState
from app.notifications.models import Kind
from app.notifications.preference_forms import (
    CHOICE_WORDS,
    KIND_HINTS,
    KIND_ICONS,
    ChatAddressForm,
    HoursForm,
    field_name,
    kinds_for,
    read_choices,
)
from app.notifications.preference_models import Channel, MessageSettings
from app.notifications.preferences import DEFAULTS, DIGEST_HOUR

LOOK = {
    "kind_words": mailing.KIND_WORDS,
    "kind_hints": KIND_HINTS,
    "kind_icons": KIND_ICONS,
    "choice_words": CHOICE_WORDS,
    "channels": list(Channel),
    "field_name": field_name,
    "urgent": preferences.URGENT,
}


class PreferenceView(BaseView):
    """One's own, for everybody signed in."""

    route_base = "/me/notifications"
    class_permission_name = "MessageChoice"
    base_permissions = ["can_read", "can_edit"]
    method_permission_name = {
        "page": "read",
        "save": "edit",
        "save_chat": "edit",
        "forget_chat": "edit",
        "test": "edit",
    }
    default_view = "page"

    @expose("/")
    @has_access
    def page(self) -> Any:
        """What holds now."""
        return self._page(_me())

    @expose("/", methods=["POST"])
    @has_access
    def save(self) -> Any:
        """Choices and hours together."""
        viewer, form = _me(), HoursForm(request.form).offer_hours(None)
        if form.validate() and _saved(form, viewer.id, kinds_for(viewer)):
            flash("Saved.", "success")
            return redirect(url_for("PreferenceView.page"))
        return self._page(viewer, form=form), 422

    @expose("/chat", methods=["POST"])
    @has_access
    def save_chat(self) -> Any:
        """A chat address of one's own; it is shown whole on no page."""
        viewer, form = _me(), ChatAddressForm(request.form)
        if form.validate():
            try:
                checked = chat_addresses.check(form.chat_address.data or "")
                with transaction():
                    preferences.keep_chat_address(viewer.id or 0, checked.url, checked.shown)
            except DomainError as error:
                show_refusal(form, error)
            else:
                flash("The address is kept. Send a test to see whether messages arrive there.", "success")
                return redirect(url_for("PreferenceView.page", _anchor="chat"))
        return self._page(viewer, chat_form=form), 422

    @expose("/chat/forget", methods=["POST"])
    @has_access
    def forget_chat(self) -> Any:
        """Nothing goes there any more."""
        with transaction():
            preferences.keep_chat_address(_me().id or 0, None, None)
        flash("The chat address is forgotten.", "success")
        return redirect(url_for("PreferenceView.page", _anchor="chat"))

    @expose("/test/<channel>", methods=["POST"])
    @has_access
    def test(self, channel: str) -> Any:
        """Send one now, and say what the server answered."""
        if channel not in set(Channel):
            raise NotFound("There is no such channel.")
        try:
            say_what_came(sending.send_test(_me().id or 0, Channel(channel)))
        except Conflict as error:
            flash(error.message, "danger")
        return redirect(url_for("PreferenceView.page"))

    def _page(self, viewer: Viewer, **more: Any) -> Any:
        [reader] = preferences.readers([viewer.id or 0]).values()
        settings = preferences.settings_of(viewer.id)
        company = preferences.settings_of(None)
        otherwise = company.digest_hour if company else None
        shown = {
            "form": _hours_form(settings or company, own=settings is not None).offer_hours(otherwise),
            "chat_form": ChatAddressForm(formdata=None),
        } | more
        return self.render_template(
            "messages/preferences.html",
            title="How I am told",
            kinds=kinds_for(viewer),
            own=reader.own,
            otherwise=lambda kind, _channel: reader.company.get((kind, _channel)) or DEFAULTS[kind],
            address=reader.email,
            chat_shown=reader.chat_shown,
            mail_is_sent=planning.mail_is_sent(),
            zone=current_app.config["TIMEZONE"],
            **LOOK,
            **shown,
        )


class MessageDefaultsView(BaseView):
    """What holds for whoever chose nothing."""

    route_base = "/messages/defaults"
    class_permission_name = "MessageDefaults"
    base_permissions = ["can_read", "can_edit"]
    method_permission_name = {"page": "read", "save": "edit"}
    default_view = "page"

    @expose("/")
    @has_access
    def page(self) -> Any:
        """What holds now."""
        return self._page()

    @expose("/", methods=["POST"])
    @has_access
    def save(self) -> Any:
        """For everybody from the next message on."""
        form = HoursForm(request.form).offer_hours(None)
        if form.validate() and _saved(form, None, list(Kind)):
            flash("Saved. It holds for everybody who has not chosen otherwise.", "success")
            return redirect(url_for("MessageDefaultsView.page"))
        return self._page(form), 422

    def _page(self, form: HoursForm | None = None) -> Any:
        settings = preferences.settings_of(None)
        return self.render_template(
            "messages/defaults.html",
            title="How people are told",
            kinds=list(Kind),
            own=preferences.company_choices(),
            otherwise=lambda kind, _channel: DEFAULTS[kind],
            form=form or _hours_form(settings, own=True).offer_hours(DIGEST_HOUR),
            zone=current_app.config["TIMEZONE"],
            **LOOK,
        )


class UnsubscribeView(BaseView):
    """Where a digest's List-Unsubscribe leads (RFC 8058). Public: the signed address is the proof."""

    route_base = "/unsubscribe"

    def create_blueprint(self, *args: Any, **options: Any) -> Any:
        """Mail programs post without having been on the page."""
        blueprint = super().create_blueprint(*args, **options)
        current_app.extensions["csrf"].exempt(blueprint)
        return blueprint

    @expose("/<token>")
    def page(self, token: str) -> Any:
        """Asks, and changes nothing: programs that look at links must not unsubscribe anybody."""
        _, kinds = _unsubscribed_by(token)
        return self._page(kinds, token, done=False)

    @expose("/<token>", methods=["POST"])
    def end(self, token: str) -> Any:
        """No mail of these kinds any more."""
        person_id, kinds = _unsubscribed_by(token)
        with transaction(), acting_as("A link in a mail", person_id=person_id):
            preferences.unsubscribe(person_id, kinds)
        return self._page(kinds, token, done=True)

    def _page(self, kinds: list[Kind], token: str, *, done: bool) -> Any:
        words = [mailing.KIND_WORDS[kind] for kind in kinds]
        return self.render_template(
            "messages/unsubscribe.html", title="Mail from the portal", kinds=words, token=token, done=done
        )


def _unsubscribed_by(token: str) -> tuple[int, list[Kind]]:
    found = mailing.read_unsubscribe(token)
    if found is None:
        raise NotFound("This link is not whole. Copy all of it from the mail.")
    return found


def _me() -> Viewer:
    """Whoever has no person, such as an account of the machinery, has no messages either."""
    viewer = current_viewer()
    if viewer is None or viewer.id is None or not preferences.readers([viewer.id]):
        raise NotFound("Your account belongs to nobody in the directory, so there is nobody to tell.")
    return viewer


def _hours_form(settings: MessageSettings | None, *, own: bool) -> HoursForm:
    form = HoursForm(formdata=None)
    if settings:
        form.quiet_from.data, form.quiet_until.data = settings.quiet_from, settings.quiet_until
        chosen = settings.digest_hour if own else None
        form.digest_hour.data = "" if chosen is None else str(chosen)
    return form


def _saved(form: HoursForm, person_id: int | None, kinds: list[Kind]) -> bool:
    try:
        with transaction():
            preferences.choose(person_id, read_choices(request.form, kinds))
            preferences.change_hours(
                person_id,
                quiet_from=form.quiet_from.data,
                quiet_until=form.quiet_until.data,
                digest_hour=form.hour,
            )
    except DomainError as error:
        show_refusal(form, error)
        return False
    return True


def say_what_came(message: Message) -> None:
    """The server's own answer to a test."""
    if message.state == MessageState.KEPT:
        flash("There is no mail server yet, so the test is kept among the messages.", "warning")
    elif message.state == MessageState.SENT:
        flash(f"Sent. The server answered: {message.answer}", "success")
    else:
        flash(f"Not sent. {message.answer}", "danger")
