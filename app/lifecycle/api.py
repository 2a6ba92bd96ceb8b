"""The HR webhooks, and the generated API of templates, cases and events."""

from typing import Any

from flask import Response, current_app, jsonify, request
from flask_appbuilder.api import expose

from app.foundation.api import PortalApi, PortalModelApi, rendered
from app.foundation.doors import Verbs
from app.foundation.errors import InvalidInput, Unauthorized
from app.foundation.fab import PortalInterface
from app.foundation.openapi.describing import HR, describes, header
from app.foundation.schemas import UNFIT, PortalSchema, body_of_request, load
from app.foundation.signing import key_matches, signature_matches
from app.foundation.transactions import transaction
from app.lifecycle import operations as lifecycle
from app.lifecycle.models import AccessTemplate, EventKind, HrEvent, LifecycleCase
from app.lifecycle.schemas import RECEIVED, OffboardingSchema, OnboardingSchema, TemplateSchema

TEMPLATE_VERBS = Verbs(lifecycle.create_template, lifecycle.change_template, lifecycle.delete_template)
LONGEST_ID = 200
_IDENTITY = (
    header(
        "webhook-id",
        "The identity of this delivery: the same one again makes nothing new.",
        "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
    ),
    header("Idempotency-Key", "The same, for those who send no webhook-id.", "onboarding-4711"),
)


class HrWebhookApi(PortalApi):
    """What HR's system calls. 202 is answered after the commit, and only then."""

    resource_name = "hr"
    csrf_exempt = True
    allow_browser_login = False

    def create_blueprint(self, appbuilder: Any, *args: Any, **options: Any) -> Any:
        """Under the published prefix, not under /api/v1."""
        self.route_base = f"{current_app.config['API_PREFIX']}/webhooks/hr"
        return super().create_blueprint(appbuilder, *args, **options)

    @expose("/onboarding", methods=["POST"])
    @describes(
        "announceJoiner",
        "Somebody joins",
        answers={200: RECEIVED, 202: RECEIVED},
        body=OnboardingSchema(),
        example={
            "employee": {"name": "Jane Doe", "email": "jane.doe@example.com", "department": "Engineering"}
        },
        takes=_IDENTITY,
        security=HR,
        refuses=(409,),
        says="202 when it is kept; 200 when it was received before.",
    )
    @rendered
    def onboarding(self) -> Response:
        """Somebody joins."""
        employee = self._employee(OnboardingSchema())
        return self._receive(EventKind.ONBOARDING, employee, employee.pop("start_date", None))

    @expose("/offboarding", methods=["POST"])
    @describes(
        "announceLeaver",
        "Somebody leaves",
        answers={200: RECEIVED, 202: RECEIVED},
        body=OffboardingSchema(),
        example={"employee": {"email": "jane.doe@example.com", "lastDay": "2031-03-31"}},
        takes=_IDENTITY,
        security=HR,
        refuses=(404, 409),
        says="202 when it is kept; 200 when it was received before. Name the employee by `email` or `externalId`.",
    )
    @rendered
    def offboarding(self) -> Response:
        """Somebody leaves."""
        employee = self._employee(OffboardingSchema())
        return self._receive(EventKind.OFFBOARDING, employee, employee.pop("last_day", None))

    @staticmethod
    def _employee(schema: PortalSchema) -> dict[str, Any]:
        _authenticate()
        employee: dict[str, Any] = load(schema, body_of_request())["employee"]
        return employee

    def _receive(self, kind: EventKind, employee: dict[str, Any], on: Any) -> Response:
        announcement = lifecycle.Announcement(
            kind=kind, employee=lifecycle.Employee(**employee), on=on, delivery_id=_delivery_id()
        )
        with transaction():
            key, is_new = lifecycle.receive_event(announcement)
        message = (
            f"{kind.value.capitalize()} workflow triggered"
            if is_new
            else "This announcement was received before"
        )
        response = jsonify(message=message, eventId=str(key))
        response.status_code = 202 if is_new else 200
        return response


def _authenticate() -> None:
    keys = current_app.config["HR_WEBHOOK_API_KEYS"]
    headers = request.headers
    if "X-API-Key" in headers:
        known = key_matches(headers["X-API-Key"], keys)
    else:
        body = (
            request.get_data()
            if (request.content_length or 0) <= current_app.config["MAX_CONTENT_LENGTH"]
            else b""
        )
        known = signature_matches(
            headers.get("webhook-signature", ""),
            keys,
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            body,
        )
    if not known:
        raise Unauthorized("Invalid API key")


def _delivery_id() -> str | None:
    """The `webhook-id` header, else `Idempotency-Key`; without either the content is the identity."""
    given = (request.headers.get("webhook-id") or request.headers.get("Idempotency-Key") or "").strip()
    if len(given) > LONGEST_ID or UNFIT.search(given):
        raise InvalidInput(f"A delivery id has at most {LONGEST_ID} characters.")
    return given or None


class TemplateApi(PortalModelApi):
    """Access templates."""

    datamodel = PortalInterface(AccessTemplate)
    resource_name, noun, verbs, schema = (
        "access-templates",
        "AccessTemplate",
        TEMPLATE_VERBS,
        TemplateSchema(),
    )
    list_columns = [
        "id",
        "name",
        "department_id",
        "department.name",
        "position",
        "level",
        "active",
        "products.id",
        "products.name",
        "created_at",
        "updated_at",
    ]
    search_columns = ["id", "name", "department_id", "position", "level", "active"]
    order_columns = ["id", "name", "position", "level", "active", "created_at", "updated_at"]
    base_order = ("id", "asc")


class CaseApi(PortalModelApi):
    """Cases: opened by announcements, closed by their last task."""

    datamodel = PortalInterface(LifecycleCase)
    resource_name, noun = "lifecycle-cases", "LifecycleCase"
    list_columns = ["id", "kind", "person_id", "person.name", "effective_on", "opened_at", "closed_at"]
    search_columns = ["id", "kind", "person_id", "effective_on", "opened_at", "closed_at"]
    order_columns = ["id", "kind", "effective_on", "opened_at", "closed_at"]
    base_order = ("id", "desc")


class HrEventApi(PortalModelApi):
    """Announcements as they came."""

    datamodel = PortalInterface(HrEvent)
    resource_name, noun = "hr-events", "HrEvent"
    list_columns = [
        "id",
        "source",
        "kind",
        "delivery_id",
        "payload",
        "received_at",
        "planned_at",
        "settled_at",
        "person_id",
        "case_id",
        "request_id",
    ]
    search_columns = [
        "id",
        "source",
        "kind",
        "delivery_id",
        "received_at",
        "planned_at",
        "settled_at",
        "person_id",
        "case_id",
    ]
    order_columns = ["id", "kind", "received_at", "planned_at", "settled_at"]
    base_order = ("id", "desc")
