"""The payment page of a product: what was paid for it, how its price changed, and the form that records a payment."""

from datetime import date, timedelta
from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access

from app.foundation import clock
from app.foundation.currencies import for_people, plain
from app.foundation.errors import NotFound
from app.foundation.references import parse_key
from app.payments import history_queries, queries, recording, renewing, terms
from app.payments.access import may_change_payments
from app.payments.api import PAYMENT_VERBS
from app.payments.history_forms import RecordForm, attach_all, done, fields_of
from app.payments.history_queries import Chain
from app.payments.models import PaymentInfo
from app.payments.register_forms import said

PAGE = 25


class PaymentHistoryView(BaseView):
    """Whoever may read what a product costs may read what was paid for it; an Admin writes it down."""

    route_base = "/payments"
    class_permission_name = "PaymentInfo"
    base_permissions = PAYMENT_VERBS.permissions()
    method_permission_name = {"product": "read", "record": "edit"}

    @expose("/products/<pk>")
    @has_access
    def product(self, pk: str) -> Any:
        """What is known of a product's payment, and what was paid for it."""
        return self._page(_payment_of(pk))

    @expose("/products/<pk>/record", methods=["POST"])
    @has_access
    def record(self, pk: str) -> Any:
        """A payment with its invoices, and the renewal that it pays moved on if that is asked for: all or nothing."""
        key, form = _payment_of(pk).product_id, RecordForm()

        def verb() -> None:
            pays = form.renewal.data if form.pays_renewal.data else None
            made = recording.record_payment(product_id=key, pays_renewal=pays, **fields_of(form))
            attach_all(made, form)

        if done(form, verb):
            flash(f"The payment is recorded.{_next_renewal(_payment_of(key))}", "success")
            return redirect(url_for("PaymentHistoryView.product", pk=key))
        return self._page(_payment_of(key), form), 422

    def _page(self, payment: PaymentInfo, form: RecordForm | None = None) -> Any:
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
            may_record=may_change_payments(),
            form=form or _prefilled(payment, chains if page == 1 else []),
            next_renewals=(payment.next_renewal_date, renewing.after_paying(payment)),
            methods=terms.METHODS,
            money=for_people,
            renews=said("renewal_frequency", payment.renewal_frequency),
        )


def _prefilled(payment: PaymentInfo, chains: list[Chain]) -> RecordForm:
    """What the register says is paid each time, for the period after the last one, or else from the coming renewal on.

    If that period holds the coming renewal, the payment pays it, unless whoever records it says otherwise.
    """
    coming = payment.next_renewal_date
    starts, ends = history_queries.period_after(chains[0].last) if chains else _period_from_renewal(payment)
    known = {
        "paid_on": clock.today(),
        "amount": payment.amount and plain(payment.amount, payment.currency),
        "currency": payment.currency,
        "period_start": starts,
        "period_end": ends,
        "method": payment.payment_method,
        "renewal": coming,
        "pays_renewal": bool(coming and starts and ends and starts <= coming <= ends),
    }
    return RecordForm(formdata=None, **known)


def _period_from_renewal(payment: PaymentInfo) -> tuple[date | None, date | None]:
    after = renewing.after_paying(payment)
    return (payment.next_renewal_date, after - timedelta(days=1)) if after else (None, None)


def _next_renewal(payment: PaymentInfo) -> str:
    """When it renews next, so that whoever recorded a payment sees whether that has moved."""
    day = payment.next_renewal_date
    return f" The next renewal is on {day:%-d %b %Y}." if day else ""


def _payment_of(pk: Any) -> PaymentInfo:
    key = parse_key(pk)
    payment = queries.payment_of(key) if key else None
    if payment is None:
        raise NotFound("There is no such product, or you may not see what is paid for it.")
    return payment
