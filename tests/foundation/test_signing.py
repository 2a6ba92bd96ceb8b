"""Who may deliver: a key, or a signature made with it; compared so that the time it takes tells nothing."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest

from app.foundation import clock, signing
from tests.conftest import HR_KEY

NOW = 1_900_000_000
BODY = b'{"employee": {"name": "Jane Doe", "email": "jane@example.com"}}'
PATH = "/api/webhooks/hr/onboarding"


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: datetime.fromtimestamp(NOW, UTC))


# --- keys -------------------------------------------------------------------------------------------------------------


def test_key_is_one_of_the_active_ones():
    assert signing.key_matches("old", ["old", "new"])
    assert signing.key_matches("new", ["old", "new"])


@pytest.mark.parametrize("given", ["", "ol", "oldx", "OLD", "old ", "\udcff", "é", "o" * 100_000])
def test_other_keys_are_none(given):
    assert not signing.key_matches(given, ["old", "new"])


def test_no_key_matches_where_none_is_active():
    assert not signing.key_matches("", [])
    assert not signing.key_matches("old", [])


def test_every_key_is_compared_by_digests_in_constant_time(monkeypatch):
    """Neither the first match nor the length of a key may end the comparison early."""
    compared = []
    original = hmac.compare_digest

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append((len(given), len(expected)))
        return original(given, expected)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    for given in ("first", "x", "x" * 500):
        compared.clear()
        signing.key_matches(given, ["first", "a much longer second key", "third"])
        assert compared == [(32, 32)] * 3


# --- signatures -------------------------------------------------------------------------------------------------------


def by_hand(key: str, message_id: str, timestamp: int, body: bytes) -> str:
    """As the Standard Webhooks specification 1.0 says it, written down a second time."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key.encode(), signed, hashlib.sha256).digest()).decode()


def matches(header: str, message_id: str = "msg_1", timestamp: str = str(NOW), body: bytes = BODY) -> bool:
    return signing.signature_matches(header, [HR_KEY], message_id, timestamp, body)


def test_signature_is_the_one_of_the_specification():
    assert signing.sign(HR_KEY, "msg_1", NOW, BODY) == by_hand(HR_KEY, "msg_1", NOW, BODY)
    assert matches(by_hand(HR_KEY, "msg_1", NOW, BODY))


def test_signature_covers_id_time_and_body():
    header = by_hand(HR_KEY, "msg_1", NOW, BODY)
    assert not matches(header, message_id="msg_2")
    assert not matches(header, timestamp=str(NOW + 1))
    assert not matches(header, body=BODY + b" ")
    assert not matches(by_hand("another key", "msg_1", NOW, BODY))


def test_one_of_several_signatures_is_enough_while_a_key_is_rotated():
    header = f"v1,{base64.b64encode(b'x' * 32).decode()} v2,unknown {by_hand(HR_KEY, 'msg_1', NOW, BODY)}"
    assert matches(header)
    assert signing.signature_matches(header, ["new key", HR_KEY], "msg_1", str(NOW), BODY)


@pytest.mark.parametrize(
    ("age", "accepted"), [(0, True), (300, True), (-300, True), (301, False), (-301, False), (10**6, False)]
)
def test_signature_is_good_for_five_minutes(age, accepted):
    sent = NOW - age
    assert matches(by_hand(HR_KEY, "msg_1", sent, BODY), timestamp=str(sent)) is accepted


@pytest.mark.parametrize(
    "timestamp", ["", "now", "1.9e9", "-1", "١٩٠٠٠٠٠٠٠٠", "9" * 400, f" {NOW}", f"{NOW}.0"]
)
def test_timestamp_that_is_none_is_refused(timestamp):
    assert not matches(by_hand(HR_KEY, "msg_1", NOW, BODY), timestamp=timestamp)


@pytest.mark.parametrize("header", ["", "v1,", "v1,!!!", "v1", "v2,AAAA", "v1,\x00", "v1a,AAAA", " " * 1000])
def test_header_that_holds_no_signature_is_refused(header):
    assert not matches(header)


def test_empty_signature_matches_nothing_even_where_no_key_is_active():
    assert not signing.signature_matches("v1,", [], "msg_1", str(NOW), BODY)


# --- at the door ------------------------------------------------------------------------------------------------------


@pytest.fixture
def deliver(app):
    """HR's system with a signature in place of the key."""

    def post(
        body: bytes = BODY, *, key: str = HR_KEY, sent: int = NOW, signed: bytes | None = None, **headers
    ):
        given = {
            "Content-Type": "application/json",
            "webhook-id": "msg_1",
            "webhook-timestamp": str(sent),
            "webhook-signature": by_hand(key, "msg_1", sent, body if signed is None else signed),
            **headers,
        }
        return app.test_client().post(PATH, data=body, headers=given)

    return post


def test_webhook_takes_a_signature_for_a_key(deliver, context):
    first, second = deliver(), deliver()
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json["eventId"] == second.json["eventId"]


def test_webhook_refuses_a_signature_of_somebody_else(deliver, context):
    for answer in (
        deliver(key="another key"),
        deliver(sent=NOW - 301),
        deliver(sent=10**400),
        deliver(signed=b"{}"),
    ):
        assert (answer.status_code, answer.json["message"]) == (401, "Invalid API key")


def test_webhook_with_a_wrong_key_is_refused_whatever_its_signature(deliver, context):
    answer = deliver(**{"X-API-Key": "wrong"})
    assert answer.status_code == 401


def test_webhook_takes_both_keys_while_one_is_rotated(app, hr, deliver, context, monkeypatch):
    monkeypatch.setitem(app.config, "HR_WEBHOOK_API_KEYS", (HR_KEY, "the next key, already handed out"))
    jane = json.loads(BODY)["employee"]
    assert hr("onboarding", key=HR_KEY, **jane).status_code == 202
    assert hr("onboarding", key="the next key, already handed out", **jane).status_code == 200
    assert deliver(key="the next key, already handed out").status_code == 202


def test_unsigned_delivery_that_is_too_large_is_refused_without_reading_it(app, context):
    answer = app.test_client().post(PATH, data=b"x" * (11 * 1024 * 1024), headers={"X-API-Key": HR_KEY})
    assert answer.status_code == 413
    assert answer.json["error"] == "payload_too_large"
    answer = app.test_client().post(PATH, data=b"x" * (11 * 1024 * 1024))
    assert answer.status_code in {401, 413}
