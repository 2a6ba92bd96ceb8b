"""The log is read by Admins, and through no door by anybody else."""

import pytest

from app.audit.models import AuditEntry
from tests.access import everything, seen_by


@pytest.mark.parametrize("name", ["alice", "bob", "charlie"])
def test_log_is_hidden_from_others(context, viewer_of, visit, name):
    assert everything(AuditEntry.id)
    assert seen_by(viewer_of(name), AuditEntry, AuditEntry.id) == set()
    visitor = visit(name)
    assert visitor.get("/audit/").status_code == 403
    assert visitor.get("/audit/1").status_code == 403
    assert visitor.api("GET", "audit-logs/").status_code == 403
    assert visitor.api("GET", "audit-logs/1").status_code == 403


def test_admin_reads_all_of_it(context, viewer_of, root):
    assert seen_by(viewer_of("root"), AuditEntry, AuditEntry.id) == everything(AuditEntry.id)
    assert root.get("/audit/1").status_code == 200
    assert root.api("GET", "audit-logs/1").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_log_cannot_be_written_by_any_door(root, method):
    for path in ("audit-logs/", "audit-logs/1"):
        assert root.api(method, path, {"action": "forged"}).status_code in {404, 405}
