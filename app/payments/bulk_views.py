"""Many rows of the register changed alike: a form, a preview of what it would do, then done."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name

from app.foundation.errors import DomainError, InvalidInput
from app.foundation.references import parse_key
from app.foundation.transactions import transaction
from app.foundation.views import PortalView, answer_422, show_refusal
from app.payments import editing, register_queries
from app.payments.api import PAYMENT_VERBS
from app.payments.register_forms import TogetherForm, said
from app.payments.register_parts import asked, words


class RegisterBulkView(PortalView):
    """What is said of several payments at once, as after a card was renewed."""

    route_base, noun = "/payments", "PaymentInfo"
    base_permissions = PAYMENT_VERBS.permissions()
    default_view = "change"

    @expose("/bulk", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def change(self) -> Any:
        """The same change to the rows `ids`, or to `all` that fit the filter: a form, a preview of it, then done.

        The preview sends back which version of each row it showed (`seen`), and all change or none.
        """
        rows = register_queries.rows_of(_chosen_ids())
        if not rows:
            raise InvalidInput("Select at least one row of the register first.")
        form, changes = TogetherForm(), []
        if request.method == "POST":
            try:
                changes = _previewed(form, rows)
                if "apply" in request.form and changes and _is_as_previewed(form):
                    return self._changed_together(_together(form))
            except DomainError as error:
                show_refusal(form, error)
            if form.errors:
                answer_422()
        return self.render_template(
            "payments/register_bulk.html",
            title="Change several payments",
            form=form,
            rows=rows,
            changes=changes,
            previewed=_signature(form),
            back=asked()[0].as_args(),
            said=said,
            **words(),
        )

    def _changed_together(self, fields: dict[str, Any]) -> Any:
        seen = dict(one.partition(" ")[::2] for one in request.form.getlist("seen"))
        if not seen or not all(parse_key(key) for key in seen):
            raise InvalidInput(editing.READ_AGAIN)
        with transaction():
            editing.change_together({int(key): moment for key, moment in seen.items()}, **fields)
        flash(f"{len(seen)} payment{'' if len(seen) == 1 else 's'} changed.", "success")
        back: dict[str, Any] = {**asked()[0].as_args()}
        return redirect(url_for("RegisterView.list", **back))


def _together(form: TogetherForm) -> dict[str, Any]:
    """What the form says of all rows; an empty field says nothing."""
    return {name: form[name].data for name in editing.TOGETHER if form[name].data is not None}


def _previewed(form: TogetherForm, rows: list[Any]) -> list[editing.Change]:
    return editing.what_would_change(rows, _together(form)) if form.validate() else []


def _signature(form: TogetherForm) -> str:
    return "\n".join(f"{name}={value}" for name, value in _together(form).items())


def _is_as_previewed(form: TogetherForm) -> bool:
    """Whether what is to be applied is what was looked at; otherwise it is shown first."""
    same = request.form.get("previewed", "").splitlines() == _signature(form).splitlines()
    if not same:
        form.form_errors.append("You have changed this after the preview. Look at what it would do now.")
    return same


def _chosen_ids() -> list[int]:
    if request.args.get("all"):
        return register_queries.ids_of(asked()[0])
    ids = request.values.getlist("ids")[: register_queries.MOST_AT_ONCE + 1]
    keys = [parse_key(one) for one in ids]
    if None in keys:
        raise InvalidInput(ids="There is no such entry.")
    if len(keys) > register_queries.MOST_AT_ONCE:
        raise InvalidInput(f"At most {register_queries.MOST_AT_ONCE} payments can be changed at once.")
    return [key for key in keys if key]
