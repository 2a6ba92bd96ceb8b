"""Access that ends soon: whoever administers the product hears of it in time to prolong it."""

from datetime import timedelta

from sqlalchemy import select

from app.directory.models import Person
from app.foundation import clock
from app.foundation.database import db
from app.foundation.scoping import unscoped
from app.inbox import standing_in
from app.inventory.models import AccessGrant, Product
from app.inventory.queries import administrators_by_product
from app.notifications import operations as notifications
from app.notifications.models import Kind
from app.notifications.operations import Notice
from app.reminders import queries


def tell_of_access() -> int:
    """Once for each access and its last day; says how many notices."""
    with unscoped():
        today, ahead = clock.today(), queries.rules().access_days
        if not ahead:
            return 0
        grant = AccessGrant
        columns = (
            grant.id,
            grant.valid_until,
            grant.product_id,
            Product.service_id,
            Product.name,
            Person.name.label("who"),
        )
        query = (
            select(*columns)
            .join(Product, Product.id == grant.product_id)
            .join(Person, Person.id == grant.person_id)
            .where(grant.ended_at.is_(None), grant.valid_until.between(today, today + timedelta(days=ahead)))
        )
        rows = db.session.execute(query.order_by(grant.valid_until, grant.id)).all()
        people = administrators_by_product({row.product_id: row.service_id for row in rows})
        away = standing_in.on(today)
        admins = queries.admins_in(away)
        return len(
            notifications.notify_all(
                [
                    Notice(
                        person_id=key,
                        kind=Kind.ACCESS,
                        title=f"{row.who}'s access to {row.name} ends on {row.valid_until:%-d %b %Y}",
                        body="Prolong it if it is still needed.",
                        href=f"/grants/show/{row.id}",
                        cause=f"access:{row.id}:{row.valid_until}",
                    )
                    for row in rows
                    for key in away.present([one for one, _ in people[row.product_id]]) or admins
                ]
            )
        )
