"""How root starts PostgreSQL, which refuses to run as root.

The server runs as the owner of its folder. Where root owns it, that is root inside a user namespace under the name of
an unprivileged user, so that no file changes hands; where namespaces are not allowed (most containers), the folder is
given to an unprivileged system user.
"""

import os
import pwd
import shutil
import subprocess
from functools import cache
from pathlib import Path

from app.foundation.embedded.location import EmbeddedError

_HELP = "Start PortalOps as an ordinary user, or set DATABASE_URL to a PostgreSQL server."


def settle_owner(folder: Path, *shared: Path) -> None:
    """Make sure somebody may run PostgreSQL on `folder`, and reach the `shared` folders around it."""
    if os.geteuid() != 0 or (folder.stat().st_uid == 0 and _namespaces_work()):
        return
    user = _unprivileged_user() if folder.stat().st_uid == 0 else pwd.getpwuid(folder.stat().st_uid)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    for path in shared:
        os.chown(path, -1, user.pw_gid)
        path.chmod(0o770)


def runner(folder: Path) -> list[str]:
    """The words before a PostgreSQL command that let it work on `folder` as the folder's owner."""
    if os.geteuid() != 0:
        return []
    owner = folder.stat()
    if owner.st_uid == 0:
        user = _unprivileged_user()
        return ["unshare", "-U", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", "--"]
    return ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups", "--"]


def check_runner(folder: Path, program: Path) -> None:
    """Refuse early, and in words, where the owner of `folder` reaches neither it nor the program."""
    for probe in (["test", "-w", str(folder)], [str(program), "--version"]):
        if not _succeeds([*runner(folder), *probe]):
            raise EmbeddedError(
                f"PostgreSQL refuses to run as root; here user namespaces are not allowed either, and the user that "
                f"would run it instead can't reach {probe[-1] if probe[0] == 'test' else program}. {_HELP}"
            )


def _unprivileged_user() -> pwd.struct_passwd:
    """A user with a name, as initdb insists on one; PostgreSQL's own where there is one."""
    users = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    for name in ("postgres", "nobody", *users):
        if name in users:
            return users[name]
    raise EmbeddedError(f"PostgreSQL refuses to run as root, and this system has no other user. {_HELP}")


@cache
def _namespaces_work() -> bool:
    user = _unprivileged_user()
    return _succeeds(
        ["unshare", "-U", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}", "--", "true"]
    )


def _succeeds(command: list[str]) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
