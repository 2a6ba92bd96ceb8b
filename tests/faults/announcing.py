"""HR announces joiners while something happens, and remembers what was acknowledged: that must be there, once."""

import http.client
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.deployment import Deployment

# For each announcement: how often it was kept, and its person's cases, tasks and notices.
STORY = """
    SELECT person.email, count(DISTINCT event.id), count(DISTINCT event.case_id), count(DISTINCT task.id),
           count(DISTINCT notice.id)
    FROM hr_events event JOIN users person ON person.id = event.person_id
    LEFT JOIN workflow_tasks task ON task.target_id = person.id
    LEFT JOIN notifications notice ON notice.href = '/inbox/' || task.id
    WHERE person.email = ANY(%s) GROUP BY person.email
"""
QUICK_SECONDS = 3
_numbers = itertools.count(1)


def not_as_promised(portal: Deployment, emails: list[str], tasks_each: int) -> list[tuple[object, ...]]:
    """What stands in the database of these people, where it is not one event, one case and each task and notice once."""
    found = {row[0]: row for row in portal.rows(STORY, emails)}
    expected = {email: (email, 1, 1, tasks_each, tasks_each) for email in emails}
    return [found.get(email, (email, "lost")) for email in emails if found.get(email) != expected[email]]


@dataclass
class Announcing:
    """Clients that announce one joiner after the other, each until it is acknowledged, as HR's system does."""

    portal: Deployment
    clients: int = 3
    pause: float = 0.1
    acknowledged: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    unanswered: int = 0
    unavailable: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def on(self) -> Iterator["Announcing"]:
        """As long as the block lasts; what was begun is brought to its end."""
        threads = [threading.Thread(target=self._announce) for _ in range(self.clients)]
        threads.append(threading.Thread(target=self._look))
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _announce(self) -> None:
        while not self._over.is_set():
            email = f"announced.{next(_numbers)}@example.com"
            person = {"name": "Announced", "email": email}
            deadline = time.monotonic() + 60
            while not self._answered(person):
                time.sleep(0.1)
                if time.monotonic() > deadline:
                    self.wrong.append(f"{email} was not acknowledged in 60 s")
                    break
            time.sleep(self.pause)

    def _answered(self, person: dict[str, str]) -> bool:
        """Whether it was acknowledged; 503 with Retry-After and no answer at all are asked again."""
        begun = time.monotonic()
        try:
            answer = self.portal.hr("onboarding", headers={"webhook-id": person["email"]}, **person)
        except (OSError, http.client.HTTPException):
            self.unanswered += 1
            return False
        self._note(time.monotonic() - begun, answer.status, answer.headers)
        if answer.status in {200, 202}:
            self.acknowledged.append(person["email"])
        return answer.status in {200, 202}

    def _look(self) -> None:
        """Somebody reads a page that asks the database."""
        while not self._over.is_set():
            try:
                answer = self.portal.get("/login/")
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
            else:
                self._note(answer.seconds, answer.status, answer.headers)
            time.sleep(self.pause)

    def _note(self, seconds: float, status: int, headers: dict[str, str]) -> None:
        self.slowest = max(self.slowest, seconds)
        self.unavailable += status == http.HTTPStatus.SERVICE_UNAVAILABLE
        if status not in {200, 202, 503} or (status == 503 and "Retry-After" not in headers):
            self.wrong.append(f"{status} {headers.get('Retry-After')}")
        if seconds > QUICK_SECONDS:
            self.wrong.append(f"{status} after {seconds:.1f} s")
