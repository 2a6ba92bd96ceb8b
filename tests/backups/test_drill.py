"""The drill: a portal in use is backed up and restored elsewhere, and there everything is as it was."""

import stat
import tarfile

import pyrage
import pytest
from sqlalchemy import select, text

from app.audit import heads
from app.foundation.backups import archive, postgres
from app.foundation.database import db
from app.foundation.storage import Bucket
from app.payments.history_models import Invoice
from tests.backups.conftest import ENTRIES
from tests.object_storage import ACCESS, object_storage
from tests.payments.files import png
from tests.visitor import Visitor


def test_everything_is_as_it_was(app, used, back_up, elsewhere, settings):
    path = back_up()
    ran = elsewhere.flask("restore", str(path))
    assert ran.exit_code == 0, ran.output
    assert "every link holds" in ran.output
    assert "each as the log has it" in ran.output
    manifest, _ = archive.verify(path, [])
    with postgres.connected(settings.database_url) as here:
        assert postgres.tables_of(here).keys() == manifest["tables"].keys()
    assert manifest["tables"]["audit_logs"]["rows"] > ENTRIES
    there = elsewhere.app()
    with there.app_context():
        row = db.session.execute(text("SELECT action FROM audit_logs ORDER BY id DESC LIMIT 1")).scalar()
        assert row == "backup.restore"
    restored = elsewhere.data_dir / "attachments" / used
    assert (restored.read_bytes(), stat.S_IMODE(restored.stat().st_mode)) == (png(), 0o600)
    assert (elsewhere.data_dir / "secrets" / heads.SECRET).read_text() == (
        settings.data_dir / "secrets" / heads.SECRET
    ).read_text()
    visitor = Visitor(there, "root")
    assert visitor.get("/inbox/").status_code == 200
    with there.app_context():
        [invoice] = db.session.scalars(select(Invoice.id))
    assert visitor.get(f"/payments/invoices/{invoice}").data == png()
    with there.app_context():
        db.engine.dispose()


def test_backup_leads_from_a_folder_to_object_storage_and_back(used, back_up, elsewhere, server, tmp_path):
    with object_storage() as address:
        in_s3 = {
            "ATTACHMENTS_URL": "s3://files/attachments",
            "S3_ENDPOINT_URL": address,
            "S3_ACCESS_KEY_ID": ACCESS["access_key_id"],
            "S3_SECRET_ACCESS_KEY": ACCESS["secret_access_key"],
        }
        ran = elsewhere.flask("restore", str(back_up()), **in_s3)
        assert ran.exit_code == 0, ran.output
        with Bucket("s3://files/attachments", endpoint=address, **ACCESS).open(used) as file:
            assert file.read() == png()
        assert not (elsewhere.data_dir / "attachments" / used).exists()
        ran = elsewhere.flask("backup", "--to", str(tmp_path / "from S3"), **in_s3)
        assert ran.exit_code == 0, ran.output
    [path] = (tmp_path / "from S3").iterdir()
    elsewhere.empty(server)
    ran = elsewhere.flask("restore", str(path))
    assert ran.exit_code == 0, ran.output
    assert (elsewhere.data_dir / "attachments" / used).read_bytes() == png()


def test_file_is_private_and_has_what_it_says(app, used, back_up):
    path = back_up()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as tar:
        names = tar.getnames()
    assert names[-2:] == ["manifest.json", "SHA256SUMS"]
    assert f"files/attachments/{used}" in names
    assert "database/00001" in names
    assert f"files/secrets/{heads.SECRET}" in names


def test_encrypted_one_takes_the_private_key(app, used, key, back_up, elsewhere, tmp_path):
    path = back_up()
    assert path.name.endswith(".tar.age")
    assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
    assert "--identity" in elsewhere.flask("restore", str(path)).output
    other = tmp_path / "other.txt"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    refused = elsewhere.flask("restore", str(path), "--identity", str(other))
    assert (refused.exit_code, "encrypted for another one" in refused.output) == (1, True), refused.output
    assert elsewhere.is_empty()
    ran = elsewhere.flask("restore", str(path), "--identity", str(key))
    assert ran.exit_code == 0, ran.output
    assert elsewhere.statement("SELECT count(*) FROM departments WHERE name LIKE 'Department %'") == [
        (ENTRIES,)
    ]


def test_restored_portal_keeps_the_rules_of_its_log(app, used, back_up, elsewhere):
    assert elsewhere.flask("restore", str(back_up())).exit_code == 0
    for statement in ("DELETE FROM audit_logs", "UPDATE payments_made SET amount = 1"):
        with pytest.raises(Exception, match=r"append-only|never"):
            elsewhere.statement(statement)
