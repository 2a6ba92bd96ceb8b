"""The supervisor: one loop in the main thread; signals and output only put something into its queue.

Honcho gives the prefixed, coloured output. Its manager stops everything as soon as one program ends, which suits a
Procfile and not a portal that is to keep running, so the loop is ours; circus would bring an event loop, sockets and a
control daemon of its own for the same hundred lines.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Self

import psutil
from honcho.colour import get_colours
from honcho.printer import Message, Printer

from app.foundation.supervision.child import Child, Program

_POLL_SECONDS = 0.1
_PR_SET_CHILD_SUBREAPER = 36


class Stopped(Exception):
    """Somebody asked us to stop."""


class Supervisor:
    """Use as a context manager in the main thread. On the way out all programs stop, those started last first."""

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd
        self._groups: list[list[Child]] = []
        self._output: SimpleQueue[Message | None] = SimpleQueue()
        self._printer = Printer(sys.stdout, width=9)
        self._colours = dict[str, str]()
        self._palette = get_colours()
        self._signals = 0
        self._stopping = False

    def __enter__(self) -> Self:
        # What a dying child leaves behind becomes our child, so that we can end it.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._stopping = True
        self.say("stopping")
        for group in reversed(self._groups):
            self._stop(group)
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap()
        return kind is Stopped

    def start(self, *programs: Program) -> None:
        """Start a group: programs that also stop together."""
        self._add([Child(program) for program in programs])

    def complete(self, program: Program) -> int:
        """Run a program to its end and return its exit code; the others are looked after meanwhile."""
        child = Child(program, once=True)
        self._add([child])
        self.until(lambda: child.pid is None)
        return child.returncode or 0

    def until(self, condition: Callable[[], bool], timeout: float = float("inf")) -> bool:
        """Look after the programs until the condition holds, or time is up (False). Raises Stopped when asked to."""
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                return False
            self._turn()
            if self._signals:
                raise Stopped
            for child in self._children():
                if child.restart_at <= time.monotonic():
                    self._launch(child)
        return True

    def say(self, text: str) -> None:
        self._print(self._message("system", text))

    def announce(self, text: str) -> None:
        """Say something that is to stand out: without a prefix."""
        with _unread_output_dropped():
            print(text, flush=True)  # noqa: T201 - the output is the user interface

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
        self._output.put(None)

    def _children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    def _add(self, group: list[Child]) -> None:
        self._groups.append(group)
        for child in group:
            self._colours[child.program.name] = next(self._palette)
            self._launch(child)

    def _launch(self, child: Child) -> None:
        child.launch(self._cwd, partial(self._hear, child.program.name))

    def _hear(self, name: str, line: bytes) -> None:
        self._output.put(self._message(name, line))

    def _message(self, name: str, text: str | bytes) -> Message:
        return Message("line", text, datetime.now().astimezone(), name, self._colours.get(name))

    def _print(self, message: Message | None) -> None:
        if message is not None:
            with _unread_output_dropped():
                self._printer.write(message)

    def _turn(self) -> None:
        """One turn of the loop: print what was said, notice who ended."""
        with suppress(Empty):
            self._print(self._output.get(timeout=_POLL_SECONDS))
            for _ in range(self._output.qsize()):
                self._print(self._output.get_nowait())
        self._reap()

    def _reap(self) -> None:
        """Take note of every process that ended: a program's own, or one that became ours when its parent died."""
        with suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                child = next((child for child in self._children() if child.pid == found.si_pid), None)
                if child is None:
                    os.waitpid(found.si_pid, 0)
                else:
                    self._bury(child)

    def _bury(self, child: Child) -> None:
        delay = child.bury()
        if not child.once and not self._stopping:
            child.restart_at = time.monotonic() + delay
            self.say(
                f"{child.program.name} ended with code {child.returncode}; starting it again in {delay:g} s"
            )

    def _stop(self, group: list[Child]) -> None:
        """Ask all of a group, then wait for each as long as it is granted."""
        asked = time.monotonic()
        for child in group:
            child.ask_to_stop()
        killed = set[Child]()
        while running := [child for child in group if child.pid]:
            for child in set(running) - killed:
                late = time.monotonic() - asked > child.program.grace
                if late or (self._signals > 1 and child.program.hurries):
                    self.say(f"{child.program.name} did not stop in time and is killed")
                    child.kill()
                    killed.add(child)
            self._turn()


@contextmanager
def _unread_output_dropped() -> Iterator[None]:
    """Should nobody read our output any more, that is no reason to leave the programs alone."""
    try:
        yield
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
