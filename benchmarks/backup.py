"""How long a backup of a data set takes, and restoring it, encrypted and not: seconds, bytes, memory.

    python -m benchmarks.backup [--size L] [--keep DIR]

Each is the command as an operator gives it, with the start of its process. The memory is the largest of the command and
the tools it runs. Exit status 1 unless a backup takes less than 60 s and a restore less than 120 s.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pyrage

from benchmarks.servers import Servers, running
from tests.runtime.processes import ROOT

LIMITS = {"backup": 60, "restore": 120}
RESTORED = "restored"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="L", choices=["M", "L"])
    parser.add_argument("--keep", type=Path, help="a folder whose data sets are used again")
    words = parser.parse_args()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        servers = stack.enter_context(running(words.keep or scratch / "engines"))
        seeded = servers.seeded(words.size)
        slow = [measure(servers, seeded, scratch, encrypted=encrypted) for encrypted in (False, True)]
    sys.exit(any(slow))


def measure(servers: Servers, seeded: str, scratch: Path, *, encrypted: bool) -> bool:
    """One backup, its verification and its restore; whether one was too slow."""
    key = pyrage.x25519.Identity.generate()
    (scratch / "key").write_text(str(key))
    identity = ["--identity", str(scratch / "key")] if encrypted else []
    shelf = scratch / f"backups-{encrypted}"
    env = servers.portal.env | {"DATABASE_URL": servers.portal.postgres.url_of(seeded)}
    env |= {"BACKUP_RECIPIENT": str(key.to_public())} if encrypted else {}
    times = {"backup": timed(env, "backup", "--to", str(shelf))}
    [path] = shelf.iterdir()
    print(
        f"{path.name}: {path.stat().st_size / 1e6:.0f} MB, of a database of {servers.size_of(seeded) / 1e6:.0f} MB"
    )
    timed(env, "backup", "verify", str(path), *identity)
    servers.make_empty(RESTORED)
    there = {
        "DATABASE_URL": servers.portal.postgres.url_of(RESTORED),
        "DATA_DIR": str(scratch / f"data-{encrypted}"),
    }
    times["restore"] = timed(servers.portal.env | there, "restore", str(path), *identity)
    servers.drop(RESTORED)
    return any(seconds > LIMITS[name] for name, seconds in times.items())


def timed(env: dict[str, str], *words: str) -> float:
    """Run a command, print what it took, and return the seconds."""
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "flask", "--app", "app", *words], cwd=ROOT, env=env)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"flask {words[0]} failed")
    seconds = time.monotonic() - begun
    spent = used.ru_utime + used.ru_stime
    name = " ".join(words[:2]) if words[1] == "verify" else words[0]
    print(
        f"{name:14} {seconds:6.1f} s  {spent:6.1f} s of processor  {used.ru_maxrss / 1024:5.0f} MiB",
        flush=True,
    )
    return seconds


if __name__ == "__main__":
    main()
