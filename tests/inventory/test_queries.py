"""What the room is asked at many requests is found by index."""

from sqlalchemy import text

from app.foundation.database import db
from app.inventory.queries import administered_by

CROWD = """
    WITH crowd AS (
        INSERT INTO users (name, email, active, created_at, updated_at)
        SELECT 'Many ' || n, n || '@crowd.example', true, now(), now() FROM generate_series(1, 3000) AS n RETURNING id
    )
    INSERT INTO permission_assignments (person_id, service_id, created_at)
    SELECT crowd.id, service.id, now() FROM crowd, (SELECT min(id) AS id FROM services) AS service
"""


def test_what_somebody_administers_is_found_by_index(explained, world):
    db.session.execute(text(CROWD))
    db.session.execute(text("ANALYZE permission_assignments"))
    [plan] = explained(lambda: administered_by(world.people["alice"]))
    assert "ix_permission_assignments_person_id" in plan
    assert "Seq Scan" not in plan
