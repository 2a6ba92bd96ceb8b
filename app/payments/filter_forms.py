"""What the filters of the register offer, wherever they stand."""

from typing import Any

from app.directory.models import Department
from app.foundation.forms import LookupField, PortalForm
from app.inventory.models import Service
from app.payments import register_queries
from app.payments.filters import RegisterFilter


class NarrowForm(PortalForm):
    """The two parts of a filter that are looked up."""

    service = LookupField("Service", Service)
    department = LookupField("Department", Department)


def choices(chosen: RegisterFilter) -> dict[str, Any]:
    """For `payments/_filter.html`: the lookups, and the methods and currencies that are in use."""
    methods, currencies = register_queries.in_use()
    return {
        "narrow": NarrowForm(formdata=None, service=chosen.service, department=chosen.department),
        "methods": methods,
        "currencies": currencies,
    }
