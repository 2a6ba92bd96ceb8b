"""The generated API of tasks and comments."""

from app.foundation.api import PortalModelApi
from app.foundation.doors import Verbs
from app.foundation.fab import PortalInterface
from app.inbox import operations as inbox
from app.inbox.models import TaskComment, WorkflowTask
from app.inbox.schemas import TaskWorkSchema


class TaskApi(PortalModelApi):
    """Tasks. A PUT sets the status, adds a comment, or both."""

    datamodel = PortalInterface(WorkflowTask)
    resource_name, noun = "tasks", "Task"
    verbs, schema = Verbs(change=inbox.work_on), TaskWorkSchema()
    list_columns = [
        "id",
        "type",
        "action",
        "status",
        "priority",
        "title",
        "description",
        "due_on",
        "case_id",
        "assignee_id",
        "assignee.name",
        "on_behalf_of_id",
        "target_id",
        "target.name",
        "service_id",
        "product_id",
        "completed_at",
        "completed_by_id",
        "created_at",
        "updated_at",
    ]
    search_columns = [
        "id",
        "type",
        "action",
        "status",
        "priority",
        "title",
        "due_on",
        "case_id",
        "assignee_id",
        "target_id",
        "service_id",
        "product_id",
        "completed_at",
        "created_at",
    ]
    order_columns = ["id", "type", "status", "priority", "due_on", "completed_at", "created_at", "updated_at"]
    base_order = ("id", "desc")


class TaskCommentApi(PortalModelApi):
    """Comments of the tasks that one may see. They are written with the task."""

    datamodel = PortalInterface(TaskComment)
    resource_name, noun = "task-comments", "TaskComment"
    list_columns = ["id", "task_id", "author_id", "author_name", "content", "created_at"]
    search_columns = ["id", "task_id", "author_id", "content", "created_at"]
    order_columns = ["id", "created_at"]
    base_order = ("id", "desc")
