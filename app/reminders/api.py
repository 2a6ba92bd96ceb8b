"""The generated API of reminders: answers to read, and the days of single products."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.reminders import operations as reminders
from app.reminders.models import ProductReminders, ReminderAnswer
from app.reminders.schemas import ProductRemindersSchema

PRODUCT_REMINDER_VERBS = Verbs(
    reminders.create_product_reminders,
    reminders.change_product_reminders,
    reminders.delete_product_reminders,
)


class DaysInterface(PortalInterface):
    """FAB has no filter for a list of numbers, and would say so at each start."""

    def get_columns_list(self) -> list[str]:
        """Those that can be filtered by."""
        return [name for name in super().get_columns_list() if name != "days"]


class ProductRemindersApi(PortalModelApi):
    """How many days ahead people are told of a product's payment, where the company's rule does not hold."""

    datamodel = DaysInterface(ProductReminders)
    resource_name, noun = "product-reminders", "ProductReminders"
    verbs, schema = PRODUCT_REMINDER_VERBS, ProductRemindersSchema()
    list_columns = ["id", "product_id", "days"]
    search_columns = ["id", "product_id"]
    order_columns = ["id", "product_id"]
    base_order = ("id", "asc")


class ReminderAnswerApi(PortalModelApi):
    """What was answered to reminders: acknowledged, or with `until` put off. A day of a payment, or a task."""

    datamodel = PortalInterface(ReminderAnswer)
    resource_name, noun = "reminder-answers", "ReminderAnswer"
    list_columns = [
        "id",
        "product_id",
        "kind",
        "day",
        "task_id",
        "person_id",
        "until",
        "given_on",
        "given_by_name",
        "created_at",
        "updated_at",
    ]
    search_columns = ["id", "product_id", "kind", "day", "task_id", "person_id", "until", "given_on"]
    order_columns = ["id", "day", "until", "given_on"]
    base_order = ("id", "desc")
