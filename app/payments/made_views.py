"""One payment with its corrections and its invoices."""

from typing import Any

from flask import Response, flash, redirect, send_file, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access

from app.foundation.errors import NotFound
from app.foundation.references import find
from app.foundation.storage import NoSuchFile
from app.payments import attachments, history_queries, invoicing, recording
from app.payments.access import may_change_payments
from app.payments.api import PAYMENT_VERBS
from app.payments.history_forms import (
    CorrectionForm,
    InvoiceForm,
    VoidForm,
    WithdrawForm,
    attach_all,
    done,
    fields_of,
)
from app.payments.history_models import Invoice, InvoiceType, PaymentMade

FORMS = {CorrectionForm: "correction", VoidForm: "void", InvoiceForm: "files", WithdrawForm: "withdrawal"}


class PaymentMadeView(BaseView):
    """Whoever may read what a product costs may read it; an Admin corrects it and sees to its invoices."""

    route_base = "/payments"
    class_permission_name = "PaymentInfo"
    base_permissions = PAYMENT_VERBS.permissions()
    method_permission_name = {
        "show": "read",
        "download": "read",
        "preview": "read",
        "correct": "edit",
        "void": "edit",
        "attach": "edit",
        "withdraw": "edit",
    }

    @expose("/made/<pk>")
    @has_access
    def show(self, pk: str) -> Any:
        """One payment with everything that was recorded about it."""
        return self._page(_made(pk))

    @expose("/made/<pk>/correct", methods=["POST"])
    @has_access
    def correct(self, pk: str) -> Any:
        """What was really paid."""
        form = CorrectionForm()
        return self._change(pk, form, lambda made: recording.correct_payment(made, **fields_of(form)))

    @expose("/made/<pk>/void", methods=["POST"])
    @has_access
    def void(self, pk: str) -> Any:
        """Nothing was paid."""
        form = VoidForm()
        return self._change(
            pk, form, lambda made: recording.correct_payment(made, voids=True, note=form.note.data)
        )

    @expose("/made/<pk>/invoices", methods=["POST"])
    @has_access
    def attach(self, pk: str) -> Any:
        """More files, all or none."""
        form = InvoiceForm()
        return self._change(pk, form, lambda made: attach_all(made, form))

    @expose("/invoices/<pk>/withdraw", methods=["POST"])
    @has_access
    def withdraw(self, pk: str) -> Any:
        """A file that was attached by mistake; the payment stays as it is."""
        invoice, form = _invoice(pk), WithdrawForm()
        key = invoice.id
        return self._change(
            invoice.payment_id,
            form,
            lambda _made: invoicing.withdraw_invoice(_invoice(key), why=form.why.data),
            invoice_id=key,
        )

    @expose("/invoices/<pk>")
    @has_access
    def download(self, pk: str) -> Any:
        """The file, to save."""
        return _sent(_invoice(pk), as_attachment=True)

    @expose("/invoices/<pk>/preview")
    @has_access
    def preview(self, pk: str) -> Any:
        """The file, to look at in a page, if it is a picture."""
        invoice = _invoice(pk)
        if invoice.mime_type == InvoiceType.PDF:
            raise NotFound("Only pictures have a preview.")
        return _sent(invoice, as_attachment=False)

    def _change(self, pk: Any, form: Any, verb: Any, **about: Any) -> Any:
        key = _made(pk).id
        if done(form, lambda: verb(_made(key))):
            flash("Saved.", "success")
            return redirect(url_for("PaymentMadeView.show", pk=key))
        return self._page(_made(key), form, **about), 422

    def _page(self, made: PaymentMade, form: Any = None, invoice_id: int | None = None) -> Any:
        """With what is wrong at the form that was sent; `invoice_id` is the invoice that it is about."""
        chain = history_queries.chain_of(made)
        forms = {
            "correction": CorrectionForm(formdata=None, obj=chain.last, data={"note": None}),
            "void": VoidForm(formdata=None),
            "files": InvoiceForm(formdata=None),
            "withdrawal": WithdrawForm(formdata=None),
        }
        if form is not None:
            forms[FORMS[type(form)]] = form
        return self.render_template(
            "payments/made.html",
            title=f"{chain.last.price}, {chain.last.paid_on:%-d %b %Y}",
            chain=chain,
            last=chain.last,
            bought=made.product,
            may_record=may_change_payments(),
            withdrawing=invoice_id,
            **forms,
        )


def _made(pk: Any) -> PaymentMade:
    made = find(PaymentMade, pk)
    if made is None:
        raise NotFound("There is no such payment, or you may not see it.")
    return made


def _invoice(pk: Any) -> Invoice:
    invoice = find(Invoice, pk)
    if invoice is None:
        raise NotFound("There is no such invoice, or you may not see it.")
    return invoice


def _sent(invoice: Invoice, *, as_attachment: bool) -> Response:
    """The content under its own type, which nobody guesses anew: every response forbids that."""
    if invoice.withdrawn_at is not None:
        raise NotFound(f"{invoice.withdrawn_by_name} has removed this invoice: {invoice.withdrawn_why}")
    try:
        content, size = attachments.open_content(invoice.stored_name)
    except NoSuchFile:
        raise NotFound(
            "The file is not there any more. Ask whoever runs the portal to restore it from a backup."
        ) from None
    sent = send_file(
        content, mimetype=invoice.mime_type, as_attachment=as_attachment, download_name=invoice.name
    )
    sent.content_length = size
    sent.headers["Cache-Control"] = "no-store"
    return sent
