"""Posting in a chat or pushing to a telephone: Apprise writes the request, the portal's own guarded client makes it.

Apprise sends by `requests`; nothing else of the portal does. So what `requests` connects with is replaced for the whole
process, once, and whatever a service of Apprise calls goes to an address that was checked, in the time there is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import requests
from requests.structures import CaseInsensitiveDict

from app.foundation import outgoing
from app.foundation.outgoing import NoAnswer
from app.foundation.reachable import Refused
from app.notifications import outcomes
from app.notifications.chat_addresses import open_service
from app.notifications.outcomes import Outcome

MOST_OF_AN_ANSWER = 500
# Of the answers that say no, those that may say yes later.
PASSING = frozenset({408, 425, 429})


@dataclass
class Heard:
    """What was answered while a service did its work."""

    status: int = 0
    words: str = ""
    refused: str = ""
    no_answer: str = ""


_listening: ContextVar[Heard | None] = ContextVar("heard", default=None)


class GuardedAdapter(requests.adapters.BaseAdapter):
    """In the place of the adapter of `requests`: the guarded client, whatever time-outs and proxies it is told."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def send(self, request: Any, **_: Any) -> requests.Response:  # type: ignore[override]
        """Raises what `requests` raises when it gets no answer."""
        heard = _listening.get() or Heard()
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        try:
            answer = outgoing.call(request.method, request.url, content, request.headers, outgoing.rules())
        except Refused as refused:
            heard.refused = str(refused)
            raise requests.ConnectionError(str(refused)) from None
        except NoAnswer as fault:
            heard.no_answer = str(fault)
            raise requests.ConnectionError(str(fault)) from None
        text = answer.body[:MOST_OF_AN_ANSWER].decode("utf-8", "replace").strip()
        heard.status, heard.words = answer.status, f"{answer.status} {text}".strip()
        return _as_response(answer, request)

    def close(self) -> None:
        """Nothing is kept open."""


def _as_response(answer: outgoing.Answer, request: Any) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = answer.status, request.url, request
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = BytesIO(answer.body)
    response._content = answer.body  # noqa: SLF001 - what `requests` does once it has read
    response._content_consumed = True  # type: ignore[attr-defined]  # noqa: SLF001
    response.encoding = "utf-8"
    return response


def install() -> None:
    """Put the guard in place; once per process is enough, and more do no harm."""
    requests.sessions.HTTPAdapter = GuardedAdapter  # type: ignore[misc,assignment]


@contextmanager
def _listen() -> Iterator[Heard]:
    token = _listening.set(heard := Heard())
    try:
        yield heard
    finally:
        _listening.reset(token)


def post(url: str, subject: str, text: str) -> Outcome:
    """One message to its end. Never raises what a server, a network or a service of Apprise may do."""
    install()
    service = open_service(url)
    if service is None:
        return outcomes.never("This chat address can't be used any more. Enter it again.")
    with _listen() as heard:
        try:
            arrived = service.plugin.notify(body=text, title=subject)
        except Exception as error:  # noqa: BLE001 - two dozen services of somebody else's, whose names are no secret
            return outcomes.never(f"The message could not be written: {type(error).__name__}")
    return outcomes.sent(heard.words or "sent") if arrived else _judged(heard)


def _judged(heard: Heard) -> Outcome:
    """What it means that a service did not take a message."""
    if heard.refused:
        return outcomes.never(heard.refused)
    if heard.status and (heard.status < 500 and heard.status not in PASSING):
        return outcomes.never(heard.words)
    if heard.status or heard.no_answer:
        return outcomes.again(heard.words or heard.no_answer)
    return outcomes.never("The message could not be written for this service.")
