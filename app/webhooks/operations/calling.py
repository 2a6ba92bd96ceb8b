"""One call: who is called with what, and what came of it. Nothing here touches the database."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

from standardwebhooks import Webhook

from app.foundation import clock
from app.foundation.reachable import Refused, Rules

MOST_PATIENCE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent. `number` tells whether the delivery is still this call's when its answer is written down.

    `fault` says why nothing can be sent, if that is known beforehand.
    """

    delivery_id: int
    endpoint_id: int
    attempt_id: int
    number: int
    url: str
    headers: dict[str, str]
    body: str
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a call: an answer, or an error that says why there is none."""

    milliseconds: int
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    is_cut: bool = False
    address: str | None = None
    error: str | None = None

    @property
    def has_arrived(self) -> bool:
        """Only 2xx says so; a redirect does not."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus(300)

    @property
    def is_gone(self) -> bool:
        """The receiver wants no more of this, ever."""
        return self.status == HTTPStatus.GONE

    @property
    def problem(self) -> str | None:
        """Why it has not arrived, for people."""
        if self.has_arrived or self.status is None:
            return self.error
        try:
            phrase = HTTPStatus(self.status).phrase
        except ValueError:
            phrase = ""
        return f"Answered {self.status} {phrase}".strip() + "."

    def patience(self) -> timedelta:
        """How long the receiver asks to be left alone (`Retry-After`): a day at most, nothing if it does not say."""
        asked = self.headers.get("retry-after", "").strip()
        if self.status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE} or not asked:
            return timedelta()
        if asked.isascii() and asked.isdigit():
            return timedelta(seconds=min(int(asked[:9]), int(MOST_PATIENCE.total_seconds())))
        try:
            wait = parsedate_to_datetime(asked) - clock.now()
        except (ValueError, TypeError):
            return timedelta()
        return max(timedelta(), min(wait, MOST_PATIENCE))


def signed_headers(uid: str, body: str, secrets: list[str], at: datetime, agent: str) -> dict[str, str]:
    """The headers of Standard Webhooks 1.0, signed with each secret that is good now."""
    moment = at.replace(microsecond=0)
    return {
        "Content-Type": "application/json",
        "User-Agent": agent,
        "webhook-id": uid,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(uid, moment, body) for secret in secrets),
    }


def make(call: Call, allowed: Rules) -> Outcome:
    """Send and wait, ten seconds at most. Never raises for what the other side does."""
    # The web processes hardly ever call anybody, and this takes longer to import than a page to answer.
    from app.foundation import outgoing  # noqa: PLC0415

    if call.fault:
        return Outcome(0, error=call.fault)
    began = clock.now()
    try:
        answer = outgoing.post(call.url, call.body.encode(), call.headers, allowed)
    except (Refused, outgoing.NoAnswer) as error:
        return Outcome(_since(began), error=str(error))
    return Outcome(
        answer.milliseconds,
        answer.status,
        {name: _fit(value) for name, value in answer.headers.items()},
        _fit(answer.body.decode("utf-8", "replace")),
        answer.is_cut,
        answer.address,
    )


def _since(moment: datetime) -> int:
    return round((clock.now() - moment) / timedelta(milliseconds=1))


def _fit(text: str) -> Any:
    """As a text column can hold it."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")
