"""The generated API of the inventory."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.inventory import operations as inventory
from app.inventory.models import AccessGrant, PermissionAssignment, Product, Service
from app.inventory.schemas import AssignmentSchema, GrantSchema, ProductSchema, ServiceSchema

SERVICE_VERBS = Verbs(inventory.create_service, inventory.change_service, inventory.delete_service)
PRODUCT_VERBS = Verbs(inventory.create_product, inventory.change_product, inventory.delete_product)
ASSIGNMENT_VERBS = Verbs(inventory.assign_administrator, None, inventory.unassign_administrator)
GRANT_VERBS = Verbs(inventory.grant_access, inventory.change_grant, inventory.end_grant)


class ServiceApi(PortalModelApi):
    """Services."""

    datamodel = PortalInterface(Service)
    resource_name, noun, verbs, schema = "services", "Service", SERVICE_VERBS, ServiceSchema()
    list_columns = ["id", "name", "vendor", "url", "description", "created_at", "updated_at"]
    search_columns = ["id", "name", "vendor", "url", "description"]
    order_columns = ["id", "name", "vendor", "created_at", "updated_at"]
    base_order = ("id", "asc")


class ProductApi(PortalModelApi):
    """Products."""

    datamodel = PortalInterface(Product)
    resource_name, noun, verbs, schema = "products", "Product", PRODUCT_VERBS, ProductSchema()
    list_columns = [
        "id",
        "name",
        "service_id",
        "service.name",
        "url",
        "description",
        "status",
        "created_at",
        "updated_at",
    ]
    search_columns = ["id", "name", "service_id", "url", "description", "status"]
    order_columns = ["id", "name", "status", "created_at", "updated_at"]
    base_order = ("id", "asc")


class AssignmentApi(PortalModelApi):
    """Who administers what. Deleting one lets somebody no longer administer something."""

    datamodel = PortalInterface(PermissionAssignment)
    resource_name, noun = "permission-assignments", "PermissionAssignment"
    verbs, schema = ASSIGNMENT_VERBS, AssignmentSchema()
    list_columns = [
        "id",
        "person_id",
        "person.name",
        "service_id",
        "service.name",
        "product_id",
        "product.name",
        "created_at",
    ]
    search_columns = ["id", "person_id", "service_id", "product_id"]
    order_columns = ["id", "created_at"]
    base_order = ("id", "asc")


class GrantApi(PortalModelApi):
    """Who uses what. Deleting one records that the access was taken away; the row stays."""

    datamodel = PortalInterface(AccessGrant)
    resource_name, noun, verbs, schema = "access-grants", "AccessGrant", GRANT_VERBS, GrantSchema()
    list_columns = [
        "id",
        "person_id",
        "person.name",
        "product_id",
        "product.name",
        "level",
        "source",
        "valid_from",
        "valid_until",
        "ended_at",
        "created_at",
    ]
    search_columns = [
        "id",
        "person_id",
        "product_id",
        "level",
        "source",
        "valid_from",
        "valid_until",
        "ended_at",
    ]
    order_columns = ["id", "level", "valid_from", "valid_until", "ended_at", "created_at"]
    base_order = ("id", "asc")
