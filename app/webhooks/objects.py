"""The objects that payloads speak of. A payload names things by id and by what people call them, and no more than that."""

from app.inbox.models import Priority, TaskAction, TaskStatus, TaskType
from app.inventory.models import AccessLevel, GrantSource, ProductStatus
from app.lifecycle.models import EventKind
from app.payments.agenda import Kind
from app.webhooks.shapes import Shape, amount, choice, day, flag, key, moment, number, part, text

PERSON = Shape(
    key("17"),
    text("name", "Ada Lindqvist"),
    text("email", "ada.lindqvist@example.com"),
    text("department", "Engineering", read=lambda person: person.department_name, optional=True),
    text("position", "Platform engineer", optional=True),
    text("external_id", "E-4711", optional=True, says="What HR's system calls them."),
    flag("active", example=True),
    day("starts_on", "2026-03-02", optional=True),
    day("last_day", None, optional=True),
)
SOMEBODY = Shape(key("17"), text("name", "Ada Lindqvist"), text("email", "ada.lindqvist@example.com"))
SERVICE = Shape(
    key("3"),
    text("name", "GitHub"),
    text("vendor", "GitHub, Inc.", optional=True),
    text("url", "https://github.com", optional=True),
)
NAMED_SERVICE = Shape(key("3"), text("name", "GitHub"))
PRODUCT = Shape(
    key("8"),
    text("name", "GitHub Enterprise"),
    choice("status", ProductStatus, ProductStatus.ACTIVE),
    part("service", NAMED_SERVICE),
)
NAMED_PRODUCT = Shape(key("8"), text("name", "GitHub Enterprise"))
GRANT = Shape(
    key("52"),
    choice("level", AccessLevel, AccessLevel.MEMBER),
    choice("source", GrantSource, GrantSource.TASK),
    day("valid_from", "2026-03-02"),
    day("valid_until", None, optional=True, says="The last day, if one is agreed."),
    moment("ended_at", None, optional=True),
    part("person", SOMEBODY),
    part("product", PRODUCT),
)
TASK = Shape(
    key("104"),
    choice("type", TaskType, TaskType.ONBOARDING),
    choice("action", TaskAction, TaskAction.GRANT_ACCESS),
    choice("status", TaskStatus, TaskStatus.PENDING),
    choice("priority", Priority, Priority.NORMAL),
    text("title", "Give Ada Lindqvist access to GitHub Enterprise"),
    day("due_on", "2026-03-02", optional=True),
    key("31", "case_id", optional=True),
    part("assignee", SOMEBODY),
    part("target", SOMEBODY, optional=True),
    part("product", NAMED_PRODUCT, optional=True),
    part("service", NAMED_SERVICE, optional=True),
    moment("completed_at", None, optional=True),
    part("completed_by", SOMEBODY, optional=True),
)
CASE = Shape(
    key("31"),
    choice("kind", EventKind, EventKind.ONBOARDING),
    day("effective_on", "2026-03-02", says="The first day of a joiner, the last one of a leaver."),
    moment("opened_at", "2026-02-20T09:30:00+00:00"),
    moment("closed_at", None, optional=True),
    part("person", SOMEBODY),
)
PAYMENT = Shape(
    key("77"),
    part("product", PRODUCT),
    amount("amount", "1200.00"),
    text("currency", "EUR"),
    day("paid_on", "2026-02-28"),
    day("period_start", "2026-03-01", optional=True),
    day("period_end", "2027-02-28", optional=True),
    text("method", "card", optional=True),
    key("71", "corrects_id", optional=True),
    flag("voids", example=False, says="Whether it says that the payment it corrects was never made."),
)
EXPIRY = Shape(
    part("product", PRODUCT),
    choice("kind", Kind, Kind.RENEWAL),
    day("day", "2026-04-01"),
    number("days_left", 14, says="Below 0 once the day has passed."),
)
GREETING = Shape(
    text("message", "This is a test from PortalOps."),
    part("endpoint", Shape(key("2"), text("name", "Ticket system"))),
)


__all__ = ["CASE", "EXPIRY", "GRANT", "GREETING", "PAYMENT", "PERSON", "PRODUCT", "SERVICE", "TASK"]
