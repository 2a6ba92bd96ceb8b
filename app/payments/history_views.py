"""The payment pages of a product: what was paid, with invoices and changes of price; and one payment with its corrections."""

from typing import Any

from flask import Response, flash, redirect, request, send_file, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access
from sqlalchemy.exc import IntegrityError

from app.foundation import clock
from app.foundation.currencies import for_people, plain
from app.foundation.database import db
from app.foundation.errors import DomainError, NotFound, from_database
from app.foundation.references import find, parse_key
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.foundation.views import show_refusal
from app.payments import attachments, history_queries, invoicing, queries, recording, terms
from app.payments.api import PAYMENT_VERBS
from app.payments.history_forms import CorrectionForm, InvoiceForm, PaymentMadeForm, RecordForm, VoidForm
from app.payments.history_models import Invoice, InvoiceType, PaymentMade
from app.payments.history_queries import Chain
from app.payments.models import PaymentInfo
from app.payments.register_forms import said

PAGE = 25


class PaymentHistoryView(BaseView):
    """Whoever may read what a product costs may read what was paid for it; an Admin writes it down."""

    route_base = "/payments"
    class_permission_name = "PaymentInfo"
    base_permissions = PAYMENT_VERBS.permissions()
    method_permission_name = {
        "product": "read",
        "made": "read",
        "download": "read",
        "preview": "read",
        "record": "edit",
        "correct": "edit",
        "void": "edit",
        "attach": "edit",
    }

    @expose("/products/<pk>")
    @has_access
    def product(self, pk: str) -> Any:
        """What is known of a product's payment, and what was paid for it."""
        return self._product_page(_payment_of(pk))

    @expose("/products/<pk>/record", methods=["POST"])
    @has_access
    def record(self, pk: str) -> Any:
        """A payment with its invoices, all or nothing."""
        key, form = _payment_of(pk).product_id, RecordForm()

        def verb() -> None:
            made = recording.record_payment(product_id=key, **_fields(form))
            _attach_all(made, form)

        if _done(form, verb):
            flash("The payment is recorded.", "success")
            return redirect(url_for("PaymentHistoryView.product", pk=key))
        return self._product_page(_payment_of(key), form), 422

    @expose("/made/<pk>")
    @has_access
    def made(self, pk: str) -> Any:
        """One payment with everything that was recorded about it."""
        return self._payment_page(_made(pk))

    @expose("/made/<pk>/correct", methods=["POST"])
    @has_access
    def correct(self, pk: str) -> Any:
        """What was really paid."""
        form = CorrectionForm()
        return self._change(pk, form, lambda made: recording.correct_payment(made, **_fields(form)))

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
        return self._change(pk, form, lambda made: _attach_all(made, form))

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

    def _change(self, pk: str, form: Any, verb: Any) -> Any:
        key = _made(pk).id
        if _done(form, lambda: verb(_made(key))):
            flash("Saved.", "success")
            return redirect(url_for("PaymentHistoryView.made", pk=key))
        return self._payment_page(_made(key), form), 422

    def _product_page(self, payment: PaymentInfo, form: RecordForm | None = None) -> Any:
        key = payment.product_id
        page = min(parse_key(request.args.get("page", 1)) or 1, 100_000)
        chains, total = history_queries.chains_of(key, page, PAGE)
        return self.render_template(
            "payments/product.html",
            title=payment.product.name,
            payment=payment,
            chains=chains,
            total=total,
            page=page,
            pages=max(-(-total // PAGE), 1),
            totals=history_queries.totals_of(key),
            changes=history_queries.price_changes_of(key),
            may_record=_is_admin(),
            form=form or _prefilled(payment, chains if page == 1 else []),
            methods=terms.METHODS,
            money=for_people,
            renews=said("renewal_frequency", payment.renewal_frequency),
        )

    def _payment_page(self, made: PaymentMade, form: Any = None) -> Any:
        chain = history_queries.chain_of(made)
        forms = {
            "correction": CorrectionForm(formdata=None, obj=chain.last, data={"note": None}),
            "void": VoidForm(formdata=None),
            "files": InvoiceForm(formdata=None),
        }
        given = {CorrectionForm: "correction", VoidForm: "void", InvoiceForm: "files"}
        if form is not None:
            forms[given[type(form)]] = form
        return self.render_template(
            "payments/made.html",
            title=f"{chain.last.price}, {chain.last.paid_on:%-d %b %Y}",
            chain=chain,
            last=chain.last,
            bought=made.product,
            may_record=_is_admin(),
            **forms,
        )


def _done(form: Any, verb: Any) -> bool:
    """Whether it was done; if not, the form says why, and nothing was."""
    if form.validate():
        try:
            with transaction():
                verb()
        except DomainError as error:
            show_refusal(form, error)
        except IntegrityError as error:
            show_refusal(form, from_database(error))
        else:
            return True
    db.session.rollback()
    return False


def _fields(form: PaymentMadeForm) -> dict[str, Any]:
    return {name: form[name].data for name in recording.FIELDS}


def _attach_all(made: PaymentMade, form: Any) -> None:
    for file in form.invoices.data or []:
        if file.filename:
            invoicing.attach_invoice(made, name=file.filename, content=file.read())


def _prefilled(payment: PaymentInfo, chains: list[Chain]) -> RecordForm:
    """What the register says is paid each time, for the period after the last one."""
    starts, ends = history_queries.period_after(chains[0].last) if chains else (None, None)
    known = {
        "paid_on": clock.today(),
        "amount": payment.amount and plain(payment.amount, payment.currency),
        "currency": payment.currency,
        "period_start": starts,
        "period_end": ends,
        "method": payment.payment_method,
    }
    return RecordForm(formdata=None, **known)


def _payment_of(pk: Any) -> PaymentInfo:
    key = parse_key(pk)
    payment = queries.payment_of(key) if key else None
    if payment is None:
        raise NotFound("There is no such product, or you may not see what is paid for it.")
    return payment


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
    path = attachments.path_of(invoice.stored_name)
    if not path.is_file():
        raise NotFound(
            "The file is not there any more. Ask whoever runs the portal to restore it from a backup."
        )
    sent = send_file(
        path, mimetype=invoice.mime_type, as_attachment=as_attachment, download_name=invoice.name
    )
    sent.headers["Cache-Control"] = "no-store"
    return sent


def _is_admin() -> bool:
    viewer = current_viewer()
    return bool(viewer and viewer.is_admin)
