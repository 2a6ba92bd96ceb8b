#!/usr/bin/env python3
"""Onboard people from a CSV: `python clients/onboard_from_csv.py people.csv [BASE_URL]`. Standard library only.

The first line names the columns: name, email, and if known department, position, externalId, startDate (YYYY-MM-DD).
`HR_WEBHOOK_API_KEY` announces each person; `PORTALOPS_TOKEN`, an Admin's personal API token with the scopes
hr-events:read and tasks:read, then reads which tasks came of it. Run it again after a failure, or twice by mistake: each
row has an Idempotency-Key made of its content, so what arrived before makes nothing new. Exit code 1 if a row failed.
"""

import csv
import hashlib
import json
import os
import sys
import time
import urllib.parse
import urllib.request
from typing import Any
from urllib.error import HTTPError

FIELDS = ("name", "email", "department", "position", "externalId", "startDate")
TRIES, PATIENCE, BUSY = 6, 60, {429, 502, 503, 504}
HR_KEY, TOKEN = os.environ["HR_WEBHOOK_API_KEY"], os.environ["PORTALOPS_TOKEN"]


def call(url: str, headers: dict[str, str], body: bytes | None = None) -> tuple[int, dict[str, Any]]:
    """(status, answer); tries again while the portal is busy or can't be reached."""
    for tries in range(TRIES):
        wait = 2.0**tries
        try:
            with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            if error.code not in BUSY:
                is_json = "json" in error.headers.get("Content-Type", "")
                return error.code, json.load(error) if is_json else {"message": str(error)}
            told = error.headers.get("Retry-After") or ""
            wait = float(told) if told.isdigit() else wait
        except (OSError, ValueError) as error:
            print(f"  {error}", file=sys.stderr)
        time.sleep(wait if tries + 1 < TRIES else 0)
    return 0, {"message": f"no answer after {TRIES} tries"}


def read(url: str) -> Any:
    """The `result` of the generated API. Raises RuntimeError if the token may not read it."""
    status, answer = call(url, {"Authorization": f"Bearer {TOKEN}"})
    if status != 200:
        raise RuntimeError(answer.get("message"))
    return answer["result"]


def tasks_of(base: str, event: str) -> list[str]:
    """What is to be done for an announcement, as soon as that is planned."""
    for _ in range(PATIENCE):
        announced = read(f"{base}/api/v1/hr-events/{event}")
        if announced["planned_at"]:
            wanted = [{"col": "case_id", "opr": "eq", "value": announced["case_id"]}]
            query = urllib.parse.urlencode({"q": json.dumps({"filters": wanted, "page_size": 100})})
            return [
                f"{one['assignee']['name']}: {one['title']}" for one in read(f"{base}/api/v1/tasks/?{query}")
            ]
        time.sleep(1)
    raise RuntimeError(f"no tasks after {PATIENCE} seconds: is a worker running?")


def onboard(base: str, row: dict[str, str | None]) -> bool:
    """Announce one person, and say what came of it."""
    employee = {name: (row.get(name) or "").strip() for name in FIELDS if (row.get(name) or "").strip()}
    body = json.dumps({"employee": employee}, sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        "X-API-Key": HR_KEY,
        "Idempotency-Key": "csv-" + hashlib.sha256(body).hexdigest(),
    }
    status, answer = call(f"{base}/api/webhooks/hr/onboarding", headers, body)
    word = {202: "new", 200: "known"}.get(status, "FAILED")
    said = [answer.get("message")] + [f"{one['field']}: {one['message']}" for one in answer.get("detail", [])]
    try:
        said = said if word == "FAILED" else tasks_of(base, answer["eventId"])
    except RuntimeError as error:
        word, said = "FAILED", [f"announced, but {error}"]
    print(f"{word:6} {employee.get('email', '(no e-mail)')}", *said, sep="\n         ")
    return word != "FAILED"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
        url = (sys.argv[2:] or ["http://127.0.0.1:8000"])[0].rstrip("/")
        failed = [row for row in csv.DictReader(file) if not onboard(url, row)]
    sys.exit(1 if failed else 0)
