"""The generated API of absences."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.inbox import absence_operations as absences
from app.inbox.absence_models import Absence
from app.inbox.absence_schemas import AbsenceSchema

ABSENCE_VERBS = Verbs(absences.create_absence, absences.change_absence, absences.delete_absence)


class AbsenceApi(PortalModelApi):
    """One's own absences, and those that one stands in for; an Admin's are everybody's."""

    datamodel = PortalInterface(Absence)
    resource_name, noun, verbs, schema = "absences", "Absence", ABSENCE_VERBS, AbsenceSchema()
    list_columns = [
        "id",
        "person_id",
        "starts_on",
        "ends_on",
        "substitute_id",
        "moves_tasks",
        "moved_at",
        "created_at",
        "updated_at",
    ]
    search_columns = ["id", "person_id", "starts_on", "ends_on", "substitute_id"]
    order_columns = ["id", "starts_on", "ends_on"]
    base_order = ("id", "desc")
