"""Role -> what it may do, as data: [permission name of a view, permission]. Patterns match from the start: `$` ends them.

A grant on FAB's role page adds to a role; nothing takes away from these.
"""

NOUNS_OF_ADMINISTRATORS = "(Service|Product|PermissionAssignment|AccessGrant|Person|Department)$"

ROLES: dict[str, list[list[str]]] = {
    "Admin": [[".*", ".*"]],
    "ServiceAdministrator": [
        [NOUNS_OF_ADMINISTRATORS, "can_read$"],
        ["(Service|Product)$", "can_(add|edit|delete)$"],
        ["PermissionAssignment$", "can_(add|delete)$"],
        ["AccessGrant$", "can_(add|edit|delete)$"],
        [
            "(Inventory|Directory|Services|Products|Who administers what|Access|People|Departments)$",
            "menu_access$",
        ],
    ],
    "ProductAdministrator": [
        [NOUNS_OF_ADMINISTRATORS, "can_read$"],
        ["Product$", "can_edit$"],
        ["AccessGrant$", "can_(add|edit|delete)$"],
        [
            "(Inventory|Directory|Services|Products|Who administers what|Access|People|Departments)$",
            "menu_access$",
        ],
    ],
    # Nobody is given this role: everybody signed in has it.
    "Employee": [
        ["(Task|TaskComment|Notification|Profile|Reminder)$", "can_(read|edit)$"],
        ["Absence$", "can_(read|add|edit|delete)$"],
        ["ReminderAnswer$", "can_read$"],
        ["MessageChoice$", "can_(read|edit)$"],
        ["ApiToken$", "can_(read|add|delete)$"],
        ["ResetMyPasswordView$", "can_this_form_(get|post)$"],
        ["(Inbox|Reminders|Absences)$", "menu_access$"],
    ],
}
