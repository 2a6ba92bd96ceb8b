"""The generated API of webhooks, for Admins' scripts. Neither a secret nor what was sent is in it."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.webhooks import operations as webhooks
from app.webhooks.models import WebhookDelivery, WebhookEndpoint
from app.webhooks.schemas import EndpointSchema

ENDPOINT_VERBS = Verbs(webhooks.create_endpoint, webhooks.change_endpoint, webhooks.delete_endpoint)


class WebhookEndpointApi(PortalModelApi):
    """Who is told what. The secret of an endpoint is shown once, on its page."""

    datamodel = PortalInterface(WebhookEndpoint)
    resource_name, noun = "webhook-endpoints", "WebhookEndpoint"
    verbs, schema = ENDPOINT_VERBS, EndpointSchema()
    list_columns = [
        "id",
        "name",
        "url",
        "every_event",
        "event_types",
        "enabled",
        "disabled_reason",
        "last_success_at",
        "failing_since",
        "created_at",
        "updated_at",
    ]
    search_columns = ["id", "name", "url", "every_event", "enabled", "last_success_at", "failing_since"]
    order_columns = ["id", "name", "last_success_at", "failing_since", "created_at"]
    base_order = ("id", "asc")


class WebhookDeliveryApi(PortalModelApi):
    """What was sent to whom, and whether it has arrived."""

    datamodel = PortalInterface(WebhookDelivery)
    resource_name, noun = "webhook-deliveries", "WebhookDelivery"
    list_columns = [
        "id",
        "endpoint_id",
        "endpoint.name",
        "message.uid",
        "message.type",
        "state",
        "attempts",
        "due_at",
        "created_at",
        "finished_at",
        "last_status",
        "last_error",
    ]
    search_columns = [
        "id",
        "endpoint_id",
        "state",
        "attempts",
        "due_at",
        "created_at",
        "finished_at",
        "last_status",
    ]
    order_columns = ["id", "due_at", "created_at", "finished_at"]
    base_order = ("id", "desc")
