"""Where the embedded engines of a data directory live: their folders, sockets and URLs.

Every process derives the same answer from DATA_DIR alone. Only the standard library is imported: the settings, read by
each process, need the URLs and nothing else of the engines.
"""

import hashlib
import os
import stat
from pathlib import Path
from urllib.parse import quote

POSTGRES_SOCKET = ".s.PGSQL.5432"
REDIS_SOCKET = "redis.sock"
DATABASE = USER = "portalops"

# sockaddr_un.sun_path holds 108 bytes on Linux, the closing NUL included.
_LONGEST_SOCKET_PATH = 107
# Not tempfile.gettempdir(): TMPDIR differs between a shell and a service, the sockets' place must not.
_SHORT_BASE = Path("/tmp")  # noqa: S108 - private_directory() refuses one that is not ours


class EmbeddedError(Exception):
    """An embedded engine can't run here; the message tells people why and what helps."""


def socket_dir(data_dir: Path) -> Path:
    """The folder of both sockets: in the data directory, or a short one where that path is too deep for a socket."""
    data_dir = data_dir.resolve()
    inside = data_dir / "run"
    if len(os.fsencode(inside / POSTGRES_SOCKET)) <= _LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return _SHORT_BASE / f"portalops-{os.getuid()}-{digest}"


def postgres_url(data_dir: Path, database: str = DATABASE) -> str:
    """The SQLAlchemy URL of one embedded database."""
    return f"postgresql+psycopg2://{USER}@/{database}?host={quote(str(socket_dir(data_dir)), safe='')}"


def redis_url(data_dir: Path) -> str:
    """The URL of the embedded Redis, as redis-py reads it."""
    return f"unix://{quote(str(socket_dir(data_dir) / REDIS_SOCKET))}?db=0"


def private_directory(path: Path) -> Path:
    """Make a folder for its owner only; refuse one that somebody else put there first."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedError(f"{path} can't be made ({error.strerror}): choose another DATA_DIR.") from None
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise EmbeddedError(f"{path} belongs to somebody else: choose another DATA_DIR.")
    # A group stays what it is: privilege.py admits the user PostgreSQL runs as when root starts it.
    path.chmod(stat.S_IMODE(found.st_mode) & ~0o007)
    return path
