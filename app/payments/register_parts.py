"""What the pages of the register share: what they are asked for, and what they call things."""

from typing import Any

from flask import request

from app.payments import terms
from app.payments.access import may_change_payments
from app.payments.filters import RegisterFilter
from app.payments.register_forms import LABELS, SORTABLE, frequency_words
from app.payments.register_queries import RegisterOrder
from app.payments.status import PaymentState


def asked() -> tuple[RegisterFilter, RegisterOrder]:
    """The filter and the order in the address."""
    return RegisterFilter.parse(request.args), RegisterOrder.parse(request.args.get("sort", ""))


def words() -> dict[str, Any]:
    """What the templates call things."""
    return {
        "labels": LABELS,
        "sortable": SORTABLE,
        "states": [(state.value, state.replace("_", " ").capitalize()) for state in PaymentState],
        "may_edit": may_change_payments(),
        "known_methods": terms.METHODS,
        "known_frequencies": [frequency_words(one) for one in (*terms.FREQUENCIES, "every_6_months")],
    }
