"""The register as a page: a table that is edited in place, and plain forms for whoever has no script."""

from typing import Any

from flask import get_template_attribute, jsonify, redirect, render_template, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from sqlalchemy.orm import joinedload

from app.foundation.currencies import plain
from app.foundation.errors import InvalidInput, NotFound
from app.foundation.fab import PortalInterface
from app.foundation.references import find, parse_key
from app.foundation.transactions import transaction
from app.foundation.views import PortalModelView
from app.inventory.models import Product
from app.payments import editing, register_queries
from app.payments.api import PAYMENT_VERBS
from app.payments.filter_forms import choices
from app.payments.filters import RegisterFilter
from app.payments.models import PaymentInfo
from app.payments.register_forms import (
    LABELS,
    PaymentForm,
    cells_of,
    field_of_cell,
    said,
)
from app.payments.register_parts import asked, words
from app.payments.register_queries import PAGE

LOOK_AHEAD = (30, 60, 90, 180, 365)


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
        chosen, order = asked()
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
            look_ahead=sorted({*LOOK_AHEAD, *([chosen.days] if chosen.days is not None else [])}),
            **choices(chosen),
            **words(),
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
        chosen, _ = asked()
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


def _drawn(key: int) -> str:
    """A row of the table as HTML."""
    row = register_queries.row_of(key)
    draw = get_template_attribute("payments/_row.html", "row")
    return str(draw(row, cells_of(row), may_edit=True))
