"""Access templates: which products a department, a position or everybody needs."""

from typing import Any

from app.directory.models import Department
from app.foundation.database import assign, db
from app.foundation.references import visible
from app.inventory.models import Product
from app.lifecycle.models import AccessTemplate


def create_template(*, name: str, product_ids: list[int], **fields: Any) -> AccessTemplate:
    """Add a template."""
    template = AccessTemplate(name=name.strip())
    db.session.add(template)
    return change_template(template, product_ids=product_ids, **fields)


def change_template(template: AccessTemplate, **fields: Any) -> AccessTemplate:
    """Change a template; cases that were planned before keep their tasks."""
    with db.session.no_autoflush:
        if "department_id" in fields:
            key = fields["department_id"]
            template.department = visible(Department, key, "department_id") if key else None
        if "product_ids" in fields:
            template.products = [
                visible(Product, key, "product_ids") for key in dict.fromkeys(fields["product_ids"])
            ]
        assign(template, fields, ("name", "position", "level", "active"))
    db.session.flush()
    return template


def delete_template(template: AccessTemplate) -> None:
    """Remove a template."""
    db.session.delete(template)
    db.session.flush()
