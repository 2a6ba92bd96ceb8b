"""A file system of its own to run programs in, as a container has: layers, a few devices, an ordinary user, no rights.

Linux only, and as root, in a mount namespace that ends with the drill (`unshare --mount`), so that nothing stays mounted.
"""

import ctypes
import os
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_PR_SET_NO_NEW_PRIVS, _PR_CAPBSET_DROP, _LAST_CAPABILITY = 38, 24, 40
_NEW_NETWORK, _NEW_HOST_NAME = 0x40000000, 0x04000000
_DEVICES = ("null", "zero", "full", "random", "urandom")


def mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True)


def leave_network() -> None:
    """From now on this process and its children have a loopback of their own and nothing else."""
    if _LIBC.unshare(_NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "no network namespace")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Root:
    """What a build stage or a container sees. What is written lies apart from what is below: in `layer`."""

    def __init__(self, work: Path, name: str, below: Path) -> None:
        self.layer = work / name / "layer"
        self.path = work / name / "root"
        scratch = work / name / "work"
        for folder in (self.layer, self.path, scratch):
            folder.mkdir(parents=True)
        options = f"lowerdir={below},upperdir={self.layer},workdir={scratch}"
        mount("-t", "overlay", "overlay", "-o", options, self.path)
        mount("-t", "proc", "proc", self.path / "proc")
        self._devices()

    def _devices(self) -> None:
        folder = self.path / "dev"
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", folder)
        for name in _DEVICES:
            device = Path("/dev", name).stat()
            os.mknod(folder / name, device.st_mode, device.st_rdev)
            (folder / name).chmod(0o666)
        (folder / "shm").mkdir()
        mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", folder / "shm")
        (folder / "fd").symlink_to("/proc/self/fd")

    def show(self, outside: Path, inside: str) -> None:
        """Let a file or a folder of this machine be read at the same or another place inside."""
        place = self.path / inside.lstrip("/")
        if outside.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()
        mount("--bind", outside, place)
        mount("-o", "remount,ro,bind", place)

    def freeze(self, data: Path) -> None:
        """Read-only from here on, but for /data and a /tmp without programs."""
        mount("--bind", data, self.path / "data")
        mount("-t", "tmpfs", "-o", "size=256m,mode=1777,noexec,nosuid,nodev", "tmpfs", self.path / "tmp")
        mount("-o", "remount,ro,bind", self.path)

    def run(self, command: Sequence[str] | str, env: Mapping[str, str], cwd: str) -> None:
        """Run a step of the build, as root."""
        shell = ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)
        subprocess.run(shell, env=env, check=True, preexec_fn=lambda: self._enter(cwd))

    def start(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        user: int,
        host: str,
        **streams: object,
    ) -> subprocess.Popen[str]:
        """Start a program as the container would: a host by name, that user, no capability, and none to be had."""

        def become() -> None:
            _LIBC.unshare(_NEW_HOST_NAME)
            socket.sethostname(host)
            self._enter(cwd)
            for number in range(_LAST_CAPABILITY + 1):
                _LIBC.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

        return subprocess.Popen(command, env=env, preexec_fn=become, text=True, **streams)  # type: ignore[call-overload]

    def _enter(self, cwd: str) -> None:
        os.chroot(self.path)
        os.chdir(cwd)


def size_of(folder: Path) -> int:
    """What a folder takes on the disk, in bytes."""
    done = subprocess.run(
        ["du", "-s", "--one-file-system", "--block-size=1", folder],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[0])
