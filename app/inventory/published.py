"""The published API of the inventory: /services, /products, and who administers them."""

from collections.abc import Sequence
from typing import Any

from flask import Response, jsonify
from flask_appbuilder.api import expose

from app.directory.models import Person
from app.foundation.api import rendered
from app.foundation.errors import NotFound, Unauthorized
from app.foundation.idempotency import retriable
from app.foundation.openapi.describing import PAGED, Many, describes
from app.foundation.published import (
    PublishedApi,
    bare,
    done,
    each,
    found,
    found_row,
    needs,
    read_from,
    signed_in,
    tagged,
    texts,
    unchanged,
)
from app.foundation.schemas import PortalSchema, body_of_request, load
from app.foundation.transactions import transaction
from app.foundation.viewer import current_viewer
from app.inventory import operations as inventory
from app.inventory import queries
from app.inventory.models import Product, Service
from app.inventory.schemas import (
    ME,
    PRODUCT,
    PRODUCT_COLUMNS,
    SERVICE,
    SERVICE_COLUMNS,
    PermissionsSchema,
    ProductOfServiceSchema,
    ProductSchema,
    ServiceSchema,
    product_json,
    service_json,
)


class AccessApi(PublishedApi):
    """What somebody may do: their own, and an Admin's change of it."""

    @expose("/auth/me", methods=["GET"])
    @describes("me", "Who one is, and what one administers", answers={200: ME})
    @rendered
    @signed_in
    def me(self) -> Response:
        """Roles, and the services and products that one administers."""
        viewer = current_viewer()
        if viewer is None:
            raise Unauthorized("Sign in first.")
        services, products = queries.administered_by(viewer.id)
        return jsonify(
            id=str(viewer.id or viewer.account_id),
            name=viewer.name,
            email=viewer.email,
            roles=sorted(viewer.roles),
            permissions={"services": texts(services), "products": texts(products)},
        )

    @expose("/users/<key>/permissions", methods=["PUT"])
    @describes(
        "changePermissions",
        "Change what somebody may do and administers",
        answers={204: None},
        body=PermissionsSchema(),
        example={"roles": ["ServiceAdministrator"], "assignments": {"services": {"add": ["3"]}}},
        refuses=(409,),
    )
    @rendered
    @needs("can_add", "PermissionAssignment")
    def change(self, key: str) -> Response:
        """Roles and assignments, all or nothing."""
        person = found(Person, key)
        sent = load(PermissionsSchema(), body_of_request())
        assignments = sent.get("assignments", {})
        with transaction():
            inventory.adjust_access(
                person,
                roles=sent.get("roles"),
                services=assignments.get("services", {}),
                products=assignments.get("products", {}),
            )
        return done()


class ServicesApi(PublishedApi):
    """Services with the products in them that the caller may see."""

    path = "/services"

    @expose("", methods=["GET"])
    @describes("listServices", "Services, by name", answers={200: Many(SERVICE)}, takes=PAGED)
    @rendered
    @needs("can_read", "Service")
    def listed(self) -> Response:
        """By name."""
        return bare(queries.services_by_name(*SERVICE_COLUMNS), _with_products)

    @expose("", methods=["POST"])
    @describes(
        "createService",
        "Add a service",
        answers={201: SERVICE},
        body=ServiceSchema(),
        example={"name": "Notion", "vendor": "Notion Labs", "url": "https://www.notion.so"},
        refuses=(409,),
    )
    @rendered
    @needs("can_add", "Service")
    @retriable
    def create(self) -> Response:
        """Whoever adds one without being Admin administers it."""
        with transaction():
            service = inventory.create_service(**load(ServiceSchema(), body_of_request()))
        return tagged(_service(service), 201)

    @expose("/<key>", methods=["GET"])
    @describes("getService", "One service", answers={200: SERVICE})
    @rendered
    @needs("can_read", "Service")
    def one(self, key: str) -> Response:
        """One service."""
        return tagged(
            _with_products([found_row(queries.services_by_name(*SERVICE_COLUMNS), Service, key)])[0]
        )

    @expose("/<key>", methods=["PUT"])
    @describes(
        "changeService",
        "Change a service",
        answers={200: SERVICE},
        body=ServiceSchema(),
        partial=True,
        example={"description": "Wiki and notes"},
        refuses=(409, 412),
    )
    @rendered
    @needs("can_edit", "Service")
    def change(self, key: str) -> Response:
        """What is not sent keeps its value."""
        service = found(Service, key)
        with transaction():
            unchanged(service, _service)
            inventory.change_service(service, **load(ServiceSchema(), body_of_request(), partial=True))
        return tagged(_service(service))

    @expose("/<key>", methods=["DELETE"])
    @describes("deleteService", "Remove a service", answers={204: None}, refuses=(409, 412))
    @rendered
    @needs("can_delete", "Service")
    def remove(self, key: str) -> Response:
        """409 while something depends on it."""
        service = found(Service, key)
        with transaction():
            unchanged(service, _service)
            inventory.delete_service(service)
        return done()

    @expose("/<key>/products", methods=["POST"])
    @describes(
        "createProductOfService",
        "Add a product to a service",
        answers={201: PRODUCT},
        body=ProductOfServiceSchema(),
        example={"name": "Notion Plus"},
        refuses=(409,),
    )
    @rendered
    @needs("can_add", "Product")
    @retriable
    def create_product(self, key: str) -> Response:
        """A product of this service."""
        service = found(Service, key)
        with transaction():
            product = inventory.create_product(
                **{**load(ProductOfServiceSchema(), body_of_request()), "service_id": service.id}
            )
        return tagged(_product(product), 201)

    @expose("/<key>/products/<product_key>", methods=["GET"])
    @describes("getProductOfService", "One product of a service", answers={200: PRODUCT})
    @rendered
    @needs("can_read", "Product")
    def product(self, key: str, product_key: str) -> Response:
        """A product of this service."""
        return tagged(_product(_product_of(key, product_key)))

    @expose("/<key>/products/<product_key>", methods=["PUT"])
    @describes(
        "changeProductOfService",
        "Change a product of a service",
        answers={200: PRODUCT},
        body=ProductOfServiceSchema(),
        partial=True,
        example={"description": "For everybody"},
        refuses=(409, 412),
    )
    @rendered
    @needs("can_edit", "Product")
    def change_product(self, key: str, product_key: str) -> Response:
        """What is not sent keeps its value."""
        return _change(_product_of(key, product_key), ProductOfServiceSchema())

    @expose("/<key>/products/<product_key>", methods=["DELETE"])
    @describes(
        "deleteProductOfService", "Remove a product of a service", answers={204: None}, refuses=(409, 412)
    )
    @rendered
    @needs("can_delete", "Product")
    def remove_product(self, key: str, product_key: str) -> Response:
        """409 while something depends on it."""
        return _remove(_product_of(key, product_key))


class ProductsApi(PublishedApi):
    """Products, whatever service they are of."""

    path = "/products"

    @expose("", methods=["GET"])
    @describes("listProducts", "Products, by name", answers={200: Many(PRODUCT)}, takes=PAGED)
    @rendered
    @needs("can_read", "Product")
    def listed(self) -> Response:
        """By name."""
        return bare(queries.products_by_name(*PRODUCT_COLUMNS), each(product_json))

    @expose("", methods=["POST"])
    @describes(
        "createProduct",
        "Add a product",
        answers={201: PRODUCT},
        body=ProductSchema(),
        example={"name": "Notion Plus", "serviceId": "3"},
        refuses=(409,),
    )
    @rendered
    @needs("can_add", "Product")
    @retriable
    def create(self) -> Response:
        """A product of the service that `serviceId` names."""
        with transaction():
            product = inventory.create_product(**load(ProductSchema(), body_of_request()))
        return tagged(_product(product), 201)

    @expose("/<key>", methods=["GET"])
    @describes("getProduct", "One product", answers={200: PRODUCT})
    @rendered
    @needs("can_read", "Product")
    def one(self, key: str) -> Response:
        """One product."""
        return tagged(product_json(found_row(queries.products_by_name(*PRODUCT_COLUMNS), Product, key)))

    @expose("/<key>", methods=["PUT"])
    @describes(
        "changeProduct",
        "Change a product",
        answers={200: PRODUCT},
        body=ProductSchema(),
        partial=True,
        example={"description": "For everybody"},
        refuses=(409, 412),
    )
    @rendered
    @needs("can_edit", "Product")
    def change(self, key: str) -> Response:
        """What is not sent keeps its value."""
        return _change(found(Product, key), ProductSchema())

    @expose("/<key>", methods=["DELETE"])
    @describes("deleteProduct", "Remove a product", answers={204: None}, refuses=(409, 412))
    @rendered
    @needs("can_delete", "Product")
    def remove(self, key: str) -> Response:
        """409 while something depends on it."""
        return _remove(found(Product, key))


def _with_products(services: Sequence[Any]) -> list[dict[str, Any]]:
    """Services with their products: one statement more, however many there are."""
    products = queries.products_by_service([service[0] for service in services], *PRODUCT_COLUMNS)
    return [service_json(service, products.get(service[0], [])) for service in services]


def _service(service: Service) -> dict[str, Any]:
    return _with_products([read_from(service, SERVICE_COLUMNS)])[0]


def _product(product: Product) -> dict[str, Any]:
    return product_json(read_from(product, PRODUCT_COLUMNS))


def _product_of(service_key: str, product_key: str) -> Product:
    service, product = found(Service, service_key), found(Product, product_key)
    if product.service_id != service.id:
        raise NotFound("The service has no such product.")
    return product


def _change(product: Product, schema: PortalSchema) -> Response:
    with transaction():
        unchanged(product, _product)
        inventory.change_product(product, **load(schema, body_of_request(), partial=True))
    return tagged(_product(product))


def _remove(product: Product) -> Response:
    with transaction():
        unchanged(product, _product)
        inventory.delete_product(product)
    return done()
