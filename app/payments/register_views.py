"""The register as a page: a table that is edited in place, and plain forms for whoever has no script."""

from typing import Any

from flask import flash, get_template_attribute, jsonify, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from sqlalchemy.orm import joinedload

from app.directory.models import Department
from app.foundation.currencies import plain
from app.foundation.errors import DomainError, InvalidInput, NotFound
from app.foundation.fab import PortalInterface
from app.foundation.forms import LookupField, PortalForm
from app.foundation.references import find, parse_key
from app.foundation.transactions import transaction
from app.foundation.views import PortalModelView, answer_422, show_refusal
from app.inventory.models import Product, Service
from app.payments import editing, register_queries, terms
from app.payments.access import may_change_payments
from app.payments.api import PAYMENT_VERBS
from app.payments.filters import RegisterFilter
from app.payments.models import PaymentInfo
from app.payments.register_forms import (
    LABELS,
    SORTABLE,
    PaymentForm,
    TogetherForm,
    cells_of,
    field_of_cell,
    frequency_words,
    said,
)
from app.payments.register_queries import PAGE, RegisterOrder
from app.payments.status import PaymentState

LOOK_AHEAD = (30, 60, 90, 180, 365)


class NarrowForm(PortalForm):
    """The two parts of a filter that are looked up."""

    service = LookupField("Service", Service)
    department = LookupField("Department", Department)


class RegisterView(PortalModelView):
    """Every product with what pays for it."""

    datamodel = PortalInterface(PaymentInfo, joinedload(PaymentInfo.product).joinedload(Product.service))
    route_base, noun, verbs, form = "/payments", "PaymentInfo", PAYMENT_VERBS, PaymentForm
    list_title, edit_title = "Payment register", "Edit payment"
    edit_template = "payments/register_edit.html"
    list_columns = ["product", "service", "state"]
    order_columns = ["expiry_date"]
    show_columns = ["product"]
    search_columns = ["product"]
    base_order = ("id", "asc")

    @expose("/list/")
    @has_access
    def list(self) -> Any:
        """A page of the register."""
        chosen, order = _asked()
        number = parse_key(request.args.get("page", "1"))
        if number is None:
            raise InvalidInput(page="Pages are numbered from 1.")
        rows = register_queries.page(chosen, order, number)
        return self.render_template(
            "payments/register.html",
            title=self.list_title,
            rows=[(row, cells_of(row)) for row in rows],
            page=number,
            order=order,
            **_figures(chosen),
            **_choices(chosen),
            **_words(),
        )

    @expose("/show/<pk>")
    @has_access
    def show(self, pk: str) -> Any:
        """What is paid for a product has a page of its own."""
        return redirect(url_for("PaymentHistoryView.product", pk=_payment(pk).product_id))

    @expose("/row/<pk>", methods=["POST"])
    @has_access
    @permission_name("edit")
    def row(self, pk: str) -> Any:
        """Change one cell (`field`, `value`) of a row as it was `seen`; answers with the row and what else it moved.

        A refusal is JSON of the published shape. If somebody else was faster, 409 with the row as it is now.
        """
        chosen, _ = _asked()
        key, name = parse_key(pk) or 0, request.form.get("field", "")
        if name not in LABELS:
            _payment(pk)
            raise InvalidInput(field=f"Choose one of: {', '.join(LABELS)}.")
        value = field_of_cell(name, request.form.get("value", ""))
        try:
            with transaction():
                editing.change_as_seen(key, request.form.get("seen", ""), **{name: value})
        except editing.ChangedMeanwhile as error:
            return jsonify({**error.as_dict(), "by": error.by, "row": _drawn(key)}), error.status
        figures = _figures(chosen)
        return jsonify(
            row=_drawn(key),
            counts=figures["counts"],
            incomplete=register_queries.incomplete_count(),
            totals=render_template("payments/_totals.html", **figures),
        )

    @expose("/bulk", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def bulk(self) -> Any:
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
            back=_asked()[0].as_args(),
            said=said,
            **_words(),
        )

    def _changed_together(self, fields: dict[str, Any]) -> Any:
        seen = dict(one.partition(" ")[::2] for one in request.form.getlist("seen"))
        if not seen or not all(parse_key(key) for key in seen):
            raise InvalidInput(editing.READ_AGAIN)
        with transaction():
            editing.change_together({int(key): moment for key, moment in seen.items()}, **fields)
        flash(f"{len(seen)} payment{'' if len(seen) == 1 else 's'} changed.", "success")
        back: dict[str, Any] = {**_asked()[0].as_args()}
        return redirect(url_for("RegisterView.list", **back))

    def _edit(self, pk: str) -> Any:
        """FAB's form, whose page says what it is about."""
        widgets = super()._edit(pk)
        if widgets:
            widgets["edit"].template_args["payment"] = _payment(pk)
        return widgets

    def prefill_form(self, form: Any, pk: str) -> None:  # noqa: ARG002 - FAB's signature
        """An amount with as many digits as its currency has."""
        if form.amount.data is not None:
            form.amount.data = plain(form.amount.data, form.currency.data)

    def write(self, form: Any, item: Any | None) -> None:
        """From the form of one row. If somebody else was faster, both values are shown, and saving again is meant."""
        fields = {name: form[name].data for name in LABELS}
        assert item is not None  # noqa: S101 - payments come with their products, never from this form
        try:
            editing.change_as_seen(item.id, form.updated_at.data or "", **fields)
        except editing.ChangedMeanwhile as error:
            form.updated_at.data = error.version
            error.fields = {name: _theirs(error, name) for name in error.theirs}
            raise


def _payment(pk: str) -> PaymentInfo:
    payment = find(PaymentInfo, pk)
    if payment is None:
        raise NotFound("There is no such payment, or you may not see it.")
    return payment


def _theirs(error: editing.ChangedMeanwhile, name: str) -> str:
    value = said(name, error.theirs[name], error.currency) or "nothing"
    return f"{error.by} has changed this to {value}. Save again to keep yours."


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


def _asked() -> tuple[RegisterFilter, RegisterOrder]:
    return RegisterFilter.parse(request.args), RegisterOrder.parse(request.args.get("sort", ""))


def _figures(chosen: RegisterFilter) -> dict[str, Any]:
    counts = register_queries.counts_by_state(chosen)
    everything = sum(counts.values())
    total = counts[chosen.state] if chosen.state else everything
    totals = register_queries.totals(chosen)
    company, company_year = register_queries.in_company_currency(totals)
    return {
        "chosen": chosen,
        "counts": {**counts, "": everything},
        "total": total,
        "pages": max(-(-total // PAGE), 1),
        "totals": totals,
        "company": company,
        "company_year": company_year,
        "rates": {part.currency: part for part in company.parts if part.day},
        "said": said,
    }


def _choices(chosen: RegisterFilter) -> dict[str, Any]:
    methods, currencies = register_queries.in_use()
    look_ahead = sorted({*LOOK_AHEAD, *([chosen.days] if chosen.days is not None else [])})
    return {
        "narrow": NarrowForm(formdata=None, service=chosen.service, department=chosen.department),
        "methods": methods,
        "currencies": currencies,
        "look_ahead": look_ahead,
    }


def _words() -> dict[str, Any]:
    """What the templates call things."""
    return {
        "labels": LABELS,
        "sortable": SORTABLE,
        "states": [(state.value, state.replace("_", " ").capitalize()) for state in PaymentState],
        "may_edit": may_change_payments(),
        "known_methods": terms.METHODS,
        "known_frequencies": [frequency_words(one) for one in (*terms.FREQUENCIES, "every_6_months")],
    }


def _drawn(key: int) -> str:
    """A row of the table as HTML."""
    row = register_queries.row_of(key)
    draw = get_template_attribute("payments/_row.html", "row")
    return str(draw(row, cells_of(row), may_edit=True))


def _chosen_ids() -> list[int]:
    if request.args.get("all"):
        return register_queries.ids_of(_asked()[0])
    ids = request.values.getlist("ids")[: register_queries.MOST_AT_ONCE + 1]
    keys = [parse_key(one) for one in ids]
    if None in keys:
        raise InvalidInput(ids="There is no such entry.")
    if len(keys) > register_queries.MOST_AT_ONCE:
        raise InvalidInput(f"At most {register_queries.MOST_AT_ONCE} payments can be changed at once.")
    return [key for key in keys if key]
