"""The head of the audit chain, written down where the database can't reach it.

A chain shows what was changed within it, but not that its end was cut off, or that all of it was made anew. A line in
`DATA_DIR/audit-heads/<year>.jsonl` names an entry and its hash; a log that no longer has that entry with that hash has
lost its past. Each line is signed (HMAC-SHA256 with a secret of the data directory) together with the line before, so
that none can be made up, changed or left out. Lines are only ever appended.

Whoever holds the data directory holds the secret as well: copy the folder to where they can't, and compare.
"""

import fcntl
import hmac
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from flask import current_app
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.foundation import clock
from app.foundation.database import db
from app.foundation.embedded.location import private_directory
from app.foundation.secret_files import generated_secret

SECRET = "audit_head_key"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class Head:
    """The log ended at this entry, with this hash (hexadecimal), at this time (ISO 8601)."""

    entry: int
    hash: str
    at: str
    signature: str = ""

    def signed(self, key: str, before: str) -> "Head":
        """The same with its signature, which covers that of the head before."""
        content = f"{before}.{self.entry}.{self.hash}.{self.at}".encode()
        return Head(self.entry, self.hash, self.at, hmac.digest(key.encode(), content, "sha256").hex())

    @property
    def day(self) -> str:
        """When it was written down, for people."""
        return f"{clock.local(datetime.fromisoformat(self.at)):%-d %B %Y, %H:%M}"


class BrokenHeads(Exception):
    """The log and the heads written down don't agree; the message says how."""


def export() -> str:
    """Write the head of the log down, unless it stands there already; says what was done."""
    newest = select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)
    found = db.session.execute(newest).first()
    if found is None:
        return "the log is empty"
    now = clock.now()
    with (_folder() / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = _lines()
        if known and (known[-1].entry, known[-1].hash) == (found.id, found.hash.hex()):
            return f"entry {found.id} stands there already"
        head = Head(found.id, found.hash.hex(), now.isoformat())
        _append(_folder() / f"{now.year}.jsonl", head.signed(_key(), known[-1].signature if known else ""))
    return f"entry {found.id}"


def check() -> int:
    """Compare the log with every head written down, and say how many there are. Raises BrokenHeads."""
    lines, before = _lines(), ""
    for number, head in enumerate(lines, 1):
        if not hmac.compare_digest(head.signature, head.signed(_key(), before).signature):
            raise BrokenHeads(f"exported head {number} (entry {head.entry}) was not written by this portal")
        before = head.signature
    query = select(AuditEntry.id, AuditEntry.hash).where(AuditEntry.id.in_({head.entry for head in lines}))
    hashes = {entry: digest.hex() for entry, digest in db.session.execute(query)}
    for head in lines:
        if head.entry not in hashes:
            raise BrokenHeads(
                f"entry {head.entry} is gone, where the log ended on {head.day}: its end was cut off since, or an "
                "older backup was restored"
            )
        if hashes[head.entry] != head.hash:
            raise BrokenHeads(
                f"entry {head.entry} is not what it was on {head.day}: the log was made anew since"
            )
    return len(lines)


def _lines() -> list[Head]:
    """Every head, the oldest first. Raises BrokenHeads for what is none."""
    found = []
    for path in sorted(_folder().glob("*.jsonl")):
        for number, text in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            try:
                found.append(Head(**json.loads(text)))
            except (ValueError, TypeError):
                raise BrokenHeads(f"line {number} of {path.name} can't be read") from None
    return found


def _append(path: Path, head: Head) -> None:
    """One write, on the disk before it counts."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(asdict(head)).encode() + b"\n")
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder() -> Path:
    return private_directory(Path(current_app.config["DATA_DIR"]) / "audit-heads")


def _key() -> str:
    return generated_secret(Path(current_app.config["DATA_DIR"]), SECRET)
