"""The pages of exchange rates: the list, a form, the import of a file."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access
from wtforms import DateField, SelectChoice, SelectField
from wtforms.validators import InputRequired

from app.foundation import clock
from app.foundation.currencies import currencies, name_of
from app.foundation.errors import DomainError, InvalidInput
from app.foundation.fab import PortalInterface
from app.foundation.forms import REQUIRED, PortalForm, line
from app.foundation.transactions import transaction
from app.foundation.views import PortalModelView
from app.payments import rates_import
from app.payments.models import companys_currency
from app.payments.rates_api import RATE_VERBS
from app.payments.rates_models import ExchangeRate


def _foreign_currencies() -> list[SelectChoice]:
    known = sorted(currencies() - {companys_currency()})
    return [SelectChoice(code, f"{code}, {name_of(code)}") for code in known]


class ExchangeRateForm(PortalForm):
    """One rate."""

    currency = SelectField("Currency", choices=_foreign_currencies, validators=[InputRequired(REQUIRED)])
    day = DateField(
        "From",
        validators=[InputRequired(REQUIRED)],
        default=clock.today,
        description="It holds from this day on, until the next day that has a rate.",
    )
    rate = line("Rate", required=True, most=30, hint="What one unit is worth in the company's currency.")


class ExchangeRateView(PortalModelView):
    """Rates, the latest first."""

    datamodel = PortalInterface(ExchangeRate)
    route_base, noun, verbs, form = "/exchange-rates", "ExchangeRate", RATE_VERBS, ExchangeRateForm
    list_template = "payments/rates.html"
    list_title, show_title = "Exchange rates", "Exchange rate"
    add_title, edit_title = "Add rate", "Edit rate"
    list_subtitle = (
        "What one unit of a currency is worth in the company's own. Totals use the latest rate of their day."
    )
    empty_hint = "Payments in several currencies have no sum until their rates stand here."
    list_columns = ["currency", "rate", "company_currency", "day", "updated_at"]
    label_columns = {"company_currency": "In", "day": "From", "updated_at": "Written down"}
    order_columns = ["currency", "day", "rate", "updated_at"]
    show_columns = ["currency", "rate", "company_currency", "day", "created_at", "updated_at"]
    search_columns = ["currency", "day", "rate"]
    base_order = ("day", "desc")
    formatters_columns = {"rate": lambda rate: f"{rate.normalize():f}"}

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.method_permission_name |= {"import_form": "add", "import_file": "add"}

    @expose("/import")
    @has_access
    def import_form(self) -> Any:
        """Choose a file."""
        return self._import_page()

    @expose("/import", methods=["POST"])
    @has_access
    def import_file(self) -> Any:
        """Take all of it, or say what is wrong with which line."""
        sent = request.files.get("file")
        try:
            if sent is None or not sent.filename:
                raise InvalidInput(file="Choose a file.")
            with transaction():
                done = rates_import.import_rates(sent.read(rates_import.LARGEST_FILE + 1))
        except DomainError as error:
            return self._import_page(error), error.status
        flash(
            f"Imported: {done.new:,} new, {done.changed:,} changed, {done.unchanged:,} as they were.",
            "success",
        )
        return redirect(url_for("ExchangeRateView.list"))

    def _import_page(self, error: DomainError | None = None) -> Any:
        return self.render_template(
            "payments/rates_import.html",
            title="Import rates",
            error=error,
            company_currency=companys_currency(),
            today=clock.today(),
        )
