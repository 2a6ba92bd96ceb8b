"""The generated API of people and departments."""

from app.directory import operations as directory
from app.directory.models import Department, Person
from app.directory.schemas import DepartmentSchema, PersonSchema
from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface

DEPARTMENT_VERBS = Verbs(
    directory.create_department, directory.change_department, directory.delete_department
)
PERSON_VERBS = Verbs(directory.create_person, directory.change_person, directory.deactivate_person)


class DepartmentApi(PortalModelApi):
    """Departments."""

    datamodel = PortalInterface(Department)
    resource_name, noun, verbs, schema = "departments", "Department", DEPARTMENT_VERBS, DepartmentSchema()
    list_columns = ["id", "name", "description", "created_at", "updated_at"]
    search_columns = ["id", "name", "description"]
    order_columns = ["id", "name", "created_at", "updated_at"]
    base_order = ("id", "asc")


class PersonApi(PortalModelApi):
    """People. Deleting one deactivates them; their history stays."""

    datamodel = PortalInterface(Person)
    resource_name, noun, verbs, schema = "people", "Person", PERSON_VERBS, PersonSchema()
    list_columns = [
        "id",
        "name",
        "email",
        "department_id",
        "department.name",
        "department_given",
        "position",
        "external_id",
        "active",
        "starts_on",
        "last_day",
        "created_at",
        "updated_at",
    ]
    search_columns = ["id", "name", "email", "department_id", "position", "external_id", "active", "last_day"]
    order_columns = ["id", "name", "email", "position", "active", "created_at", "updated_at"]
    base_order = ("id", "asc")
