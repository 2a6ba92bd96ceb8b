"""The generated API of exchange rates."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.payments import rates_operations as rates
from app.payments.rates_models import ExchangeRate
from app.payments.rates_schemas import ExchangeRateSchema

RATE_VERBS = Verbs(rates.create_rate, rates.change_rate, rates.remove_rate)


class ExchangeRateApi(PortalModelApi):
    """What other currencies are worth in the company's own, from a day on."""

    datamodel = PortalInterface(ExchangeRate)
    resource_name, noun, verbs, schema = "exchange-rates", "ExchangeRate", RATE_VERBS, ExchangeRateSchema()
    list_columns = ["id", "currency", "company_currency", "day", "rate", "created_at", "updated_at"]
    search_columns = ["id", "currency", "company_currency", "day", "rate"]
    order_columns = ["id", "currency", "day", "rate", "updated_at"]
    base_order = ("id", "asc")
