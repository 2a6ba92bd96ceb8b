"""The floor plan: every page and every API, in the order of the menu."""

from typing import Any

from app.audit.api import AuditEntryApi
from app.audit.published import AuditLogsApi
from app.audit.views import AuditLogView
from app.directory.api import DepartmentApi, PersonApi
from app.directory.published import AuthApi, UsersApi
from app.directory.published_tokens import TokensApi
from app.directory.token_views import ApiTokenView
from app.directory.views import DepartmentView, InvitationView, PersonView
from app.documentation import DocsView, DocumentApi
from app.foundation.lookup import LookupView
from app.foundation.operating import OutboxApi, OutboxView, ScheduledRunApi, ScheduledRunView
from app.foundation.schedule_views import DeadLetterView, ScheduleView
from app.inbox.absence_api import AbsenceApi
from app.inbox.absence_views import AbsenceView
from app.inbox.api import TaskApi, TaskCommentApi
from app.inbox.published import InboxApi
from app.inbox.views import InboxView
from app.inventory.api import AssignmentApi, GrantApi, ProductApi, ServiceApi
from app.inventory.published import AccessApi, ProductsApi, ServicesApi
from app.inventory.views import AssignmentView, GrantView, ProductView, ServiceView
from app.lifecycle.api import CaseApi, HrEventApi, HrWebhookApi, TemplateApi
from app.lifecycle.views import CaseView, HrEventView, PersonPageView, ProfileView, TemplateView
from app.notifications.api import ChatChannelApi, MessageApi, NotificationApi
from app.notifications.message_views import ChatChannelView, MessageReplayView, MessageView
from app.notifications.preference_views import MessageDefaultsView, PreferenceView, UnsubscribeView
from app.notifications.views import NoticeView
from app.payments.api import PaymentInfoApi
from app.payments.bulk_views import RegisterBulkView
from app.payments.calendar_views import RenewalsView
from app.payments.export_views import RegisterExportView
from app.payments.feed_views import CalendarFeedView, CalendarView
from app.payments.history_api import InvoiceApi, PaymentMadeApi
from app.payments.history_views import PaymentHistoryView
from app.payments.import_views import RegisterImportView
from app.payments.made_views import PaymentMadeView
from app.payments.published import PaymentRegisterApi
from app.payments.rates_api import ExchangeRateApi
from app.payments.rates_views import ExchangeRateView
from app.payments.register_views import RegisterView
from app.reminders.api import ProductRemindersApi, ReminderAnswerApi
from app.reminders.views import ProductRemindersView, ReminderRulesView, RemindersView
from app.reports.spend_views import SpendView
from app.webhooks.api import WebhookDeliveryApi, WebhookEndpointApi
from app.webhooks.views import WebhookDeliveryView, WebhookEndpointView

# view, name in the menu (its permission too), icon, heading
MENU: list[tuple[Any, str, str, str]] = [
    (InboxView, "Inbox", "inbox", ""),
    (RemindersView, "Reminders", "bell", ""),
    (AbsenceView, "Absences", "sun", ""),
    (ServiceView, "Services", "server", "Inventory"),
    (ProductView, "Products", "box", "Inventory"),
    (AssignmentView, "Who administers what", "shield", "Inventory"),
    (GrantView, "Access", "key", "Inventory"),
    (RegisterView, "Payment register", "card", "Payments"),
    (RenewalsView, "Renewals", "calendar", "Payments"),
    (SpendView, "Spend", "chart", "Payments"),
    (ExchangeRateView, "Exchange rates", "refresh", "Payments"),
    (PersonView, "People", "users", "Directory"),
    (DepartmentView, "Departments", "building", "Directory"),
    (CaseView, "Cases", "flag", "Joiners and leavers"),
    (TemplateView, "Access templates", "copy", "Joiners and leavers"),
    (HrEventView, "HR announcements", "send", "Joiners and leavers"),
    (WebhookEndpointView, "Webhooks", "link", "Operations"),
    (AuditLogView, "Audit log", "list", "Operations"),
    (MessageView, "Messages", "mail", "Operations"),
    (ReminderRulesView, "Reminder rules", "sliders", "Operations"),
    (OutboxView, "Background work", "bolt", "Operations"),
    (ScheduleView, "Schedule", "clock", "Operations"),
]
WITHOUT_MENU = [
    ApiTokenView,
    CalendarFeedView,
    CalendarView,
    ChatChannelView,
    DeadLetterView,
    DocsView,
    InvitationView,
    LookupView,
    MessageDefaultsView,
    MessageReplayView,
    NoticeView,
    PaymentHistoryView,
    PaymentMadeView,
    PersonPageView,
    PreferenceView,
    ProductRemindersView,
    ProfileView,
    RegisterBulkView,
    RegisterExportView,
    RegisterImportView,
    ScheduledRunView,
    UnsubscribeView,
    WebhookDeliveryView,
]
# The contract that existing clients rely on, under the published prefix.
PUBLISHED = [
    AccessApi,
    AuthApi,
    AuditLogsApi,
    HrWebhookApi,
    InboxApi,
    PaymentRegisterApi,
    ProductsApi,
    ServicesApi,
    TokensApi,
    UsersApi,
    DocumentApi,
]
# Generated from the models, under /api/v1.
APIS = [
    ServiceApi,
    ProductApi,
    AssignmentApi,
    GrantApi,
    PaymentInfoApi,
    PaymentMadeApi,
    InvoiceApi,
    ExchangeRateApi,
    PersonApi,
    DepartmentApi,
    TaskApi,
    TaskCommentApi,
    TemplateApi,
    CaseApi,
    HrEventApi,
    AbsenceApi,
    ProductRemindersApi,
    ReminderAnswerApi,
    NotificationApi,
    MessageApi,
    ChatChannelApi,
    AuditEntryApi,
    OutboxApi,
    ScheduledRunApi,
    WebhookEndpointApi,
    WebhookDeliveryApi,
]


def furnish(appbuilder: Any) -> None:
    """Register everything. FAB itself added the pages of accounts, roles and permissions before."""
    for view, name, icon, heading in MENU:
        appbuilder.add_view(view, name, icon=icon, category=heading)
    for view in WITHOUT_MENU:
        appbuilder.add_view_no_menu(view)
    for api in [*PUBLISHED, *APIS]:
        appbuilder.add_api(api)
