"""The pages of the inventory."""

from sqlalchemy.orm import joinedload, selectinload
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from app.directory.models import Person
from app.foundation.fab import PortalInterface
from app.foundation.forms import LookupField, PortalForm, choices_of, line, paragraph
from app.foundation.views import PortalModelView
from app.inventory.api import ASSIGNMENT_VERBS, GRANT_VERBS, PRODUCT_VERBS, SERVICE_VERBS
from app.inventory.models import (
    AccessGrant,
    AccessLevel,
    PermissionAssignment,
    Product,
    ProductStatus,
    Service,
)


class ServiceForm(PortalForm):
    """A service."""

    name = line("Name", required=True)
    vendor = line("Vendor")
    url = line("Address", most=2000, hint="Where people find it, with http:// or https://.")
    description = paragraph("Description")


class ProductForm(PortalForm):
    """A product."""

    service_id = LookupField("Service", Service, required=True)
    name = line("Name", required=True)
    url = line("Address", most=2000, hint="Where people find it, with http:// or https://.")
    description = paragraph("Description")
    status = SelectField(
        "Status",
        choices=choices_of(ProductStatus),
        description="New access is given to active products only.",
    )


class AssignmentForm(PortalForm):
    """Who administers what."""

    person_id = LookupField("Person", Person, required=True)
    service_id = LookupField("Service", Service, hint="The whole service with all its products, or …")
    product_id = LookupField("Product", Product, hint="… just one product.")


class GrantForm(PortalForm):
    """Access given outside of a task."""

    person_id = LookupField("Person", Person, required=True)
    product_id = LookupField("Product", Product, required=True)
    level = SelectField("Level", choices=choices_of(AccessLevel), default=AccessLevel.MEMBER.value)
    valid_from = DateField("From", validators=[Optional()], description="Today if left empty.")
    valid_until = DateField("Until", validators=[Optional()], description="The last day, if one is agreed.")


class EditGrantForm(PortalForm):
    """What may still change of an access."""

    level = SelectField("Level", choices=choices_of(AccessLevel))
    valid_until = DateField("Until", validators=[Optional()], description="The last day, if one is agreed.")


class ProductView(PortalModelView):
    """Products."""

    datamodel = PortalInterface(Product, joinedload(Product.service))
    route_base, noun, verbs, form = "/products", "Product", PRODUCT_VERBS, ProductForm
    list_title, add_title, edit_title, show_title = "Products", "Add product", "Edit product", "Product"
    list_subtitle = "The parts of services that people are given access to."
    list_columns = ["name", "service", "status", "url"]
    label_columns = {"url": "Address"}
    order_columns = ["name", "status"]
    show_columns = ["name", "service", "status", "url", "description", "created_at", "updated_at"]
    search_columns = ["name", "service", "status", "url", "description"]
    base_order = ("name", "asc")


class AssignmentView(PortalModelView):
    """Who administers what."""

    datamodel = PortalInterface(
        PermissionAssignment,
        joinedload(PermissionAssignment.person),
        joinedload(PermissionAssignment.service),
        joinedload(PermissionAssignment.product),
    )
    route_base, noun, verbs, form = "/assignments", "PermissionAssignment", ASSIGNMENT_VERBS, AssignmentForm
    list_title, add_title, show_title = "Who administers what", "Add administrator", "Administrator"
    list_subtitle = "Tasks about a product go to its administrator, else to its service's, else to an Admin."
    delete_word, deleted_message = "Remove", "Removed: {name}."
    delete_text = "They no longer administer it. With the last thing they administer, the role goes too."
    list_columns = ["person", "thing", "role", "created_at"]
    label_columns = {"thing": "Administers", "created_at": "Since"}
    order_columns = ["created_at"]
    show_columns = ["person", "thing", "role", "created_at"]
    search_columns = ["service", "product"]
    base_order = ("id", "desc")


class GrantView(PortalModelView):
    """Who uses what."""

    datamodel = PortalInterface(AccessGrant, joinedload(AccessGrant.person), joinedload(AccessGrant.product))
    route_base, noun, verbs, form, edit_form = "/grants", "AccessGrant", GRANT_VERBS, GrantForm, EditGrantForm
    list_title, add_title, edit_title, show_title = "Access", "Record access", "Change access", "Access"
    list_subtitle = "Who uses what, since when and until when. Ended access stays on record."
    empty_hint = "Access appears here when a task is completed, or when somebody records it."
    delete_word, closed_state, deleted_message = "End access", "ended", "The access of {name} has ended."
    delete_text = "It ends today, and the record stays. Take it away in the product itself as well."
    list_columns = ["person", "product", "level", "state", "valid_from", "valid_until", "source"]
    label_columns = {"valid_from": "From", "valid_until": "Until"}
    order_columns = ["level", "valid_from", "valid_until", "source"]
    show_columns = [
        "person",
        "product",
        "level",
        "state",
        "source",
        "valid_from",
        "valid_until",
        "ended_at",
        "created_at",
    ]
    search_columns = ["product", "level", "source", "valid_from", "valid_until", "ended_at"]
    base_order = ("id", "desc")


ProductView.related_views = [AssignmentView, GrantView]


class ServiceView(PortalModelView):
    """Services."""

    datamodel = PortalInterface(Service, selectinload(Service.products))
    route_base, noun, verbs, form = "/services", "Service", SERVICE_VERBS, ServiceForm
    list_title, add_title, edit_title, show_title = "Services", "Add service", "Edit service", "Service"
    list_subtitle = "What the company runs or rents."
    list_columns = ["name", "vendor", "products", "url"]
    label_columns = {"url": "Address"}
    order_columns = ["name", "vendor"]
    show_columns = ["name", "vendor", "url", "description", "created_at", "updated_at"]
    search_columns = ["name", "vendor", "url", "description"]
    base_order = ("name", "asc")
    related_views = [ProductView, AssignmentView]
