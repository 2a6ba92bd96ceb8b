"""What only the same process can tell: statements, processor time, and what checking a personal token costs."""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import event

from app.foundation.database import db
from benchmarks import wrk
from benchmarks.cases import Case
from tests.cast import NAMES
from tests.visitor import Visitor, apart

ROUNDS = 15
LIFE = timedelta(days=30)


class Inside:
    """Our application in this process, on the database of the server, with everybody of the cast signed in."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._visitors = {name: Visitor(app, name) for name in NAMES}
        self.secret = self._personal_token("root")

    def headers(self, case: Case) -> dict[str, str]:
        """The same sign-in for this process's requests and for the server's."""
        visitor = self._visitors[case.who]
        if case.by == "cookie":
            cookie = visitor.client.get_cookie(self.app.config["SESSION_COOKIE_NAME"])
            assert cookie
            return {"Cookie": f"{cookie.key}={cookie.value}"}
        return {"Authorization": f"Bearer {self.secret if case.by == 'token' else visitor.token}"}

    def ask(self, case: Case) -> Any:
        """One answer, as another process would give it."""
        client = self.app.test_client(use_cookies=False)
        headers = self.headers(case)
        if case.body is None:
            return apart(client.get, case.path, headers=headers)
        body = case.body.replace("NUMBER", f"inside {wrk.moment()}")
        headers["Content-Type"] = "application/json"
        return apart(client.post, case.path, data=body, headers=headers)

    def statements(self, case: Case) -> list[str]:
        """Those of one answer, after a first one that fills what is kept."""
        self.ask(case)
        with self._statements() as seen:
            self.ask(case)
        return seen

    def processor_ms(self, case: Case) -> float:
        """Median of this process's CPU time; PostgreSQL's is not in it."""
        return self._median(lambda: self.ask(case))

    def token_check(self) -> tuple[float, int]:
        """Milliseconds on the clock, PostgreSQL's included, and statements, to know who sent a personal token."""
        security = self.app.appbuilder.sm  # type: ignore[attr-defined]
        headers = {"Authorization": f"Bearer {self.secret}"}
        seconds = []
        with self._statements() as seen:
            for _ in range(ROUNDS * 20):
                with self.app.test_request_context(headers=headers):
                    db.session.connection()
                    seen.clear()
                    begun = time.perf_counter()
                    security.authenticate_request()
                    seconds.append(time.perf_counter() - begun)
        return statistics.median(seconds) * 1000, len(seen)

    @contextmanager
    def _statements(self) -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            seen.append(statement)

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)

    def _median(self, call: Callable[[], Any]) -> float:
        seconds = []
        for _ in range(ROUNDS):
            begun = time.process_time()
            call()
            seconds.append(time.process_time() - begun)
        return statistics.median(seconds) * 1000

    def _personal_token(self, name: str) -> str:
        sent = {"name": "Benchmark", "scopes": ["read", "write"], "expiresOn": str(date.today() + LIFE)}  # noqa: DTZ011
        headers = {"Authorization": f"Bearer {self._visitors[name].token}"}
        answer = apart(self.app.test_client().post, "/api/auth/tokens", json=sent, headers=headers)
        return str(answer.json["token"])

    def close(self) -> None:
        """Let go of the database."""
        with self.app.app_context():
            db.engine.dispose()
