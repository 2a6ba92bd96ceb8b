"""Clients that ask without a pause, and what became of each request."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Load:
    """Clients of a port on loopback: some keep their connection as long as they are let, others open one a request."""

    port: int
    paths: tuple[str, ...]
    keeping: int = 3
    opening: int = 3
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def failed(self) -> dict[str, int]:
        """What was not answered with 200, by what happened."""
        return {outcome: count for outcome, count in self.outcomes.items() if outcome != "200"}

    @contextmanager
    def on(self) -> Iterator["Load"]:
        """Under load as long as the block lasts."""
        clients = [
            threading.Thread(target=self._ask, args=[number < self.keeping])
            for number in range(self.keeping + self.opening)
        ]
        for client in clients:
            client.start()
        try:
            yield self
        finally:
            self._over.set()
            for client in clients:
                client.join()

    def _ask(self, keeps: bool) -> None:
        connection, asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30), 0
        while not self._over.is_set():
            begun = time.monotonic()
            try:
                headers = {} if keeps else {"Connection": "close"}
                connection.request("GET", self.paths[asked % len(self.paths)], headers=headers)
                answer = connection.getresponse()
                answer.read()
                outcome = str(answer.status)
            except (OSError, http.client.HTTPException) as error:
                outcome = f"{type(error).__name__}: {error}"
                connection.close()
            asked += 1
            self.outcomes[outcome] += 1
            self.slowest = max(self.slowest, time.monotonic() - begun)
        connection.close()
