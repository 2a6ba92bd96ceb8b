#!/usr/bin/env python3
"""Onboard people from a CSV: `HR_WEBHOOK_API_KEY=... python clients/onboard_from_csv.py people.csv [BASE_URL]`.

The first line names the columns: name, email, and if known department, position, externalId, startDate (YYYY-MM-DD).
Standard library only. Run it again after a failure, or twice by mistake: each row has an Idempotency-Key made of its
content, so what arrived before makes nothing new. Exit code 1 if a row was refused or never got through.
"""

import csv
import hashlib
import json
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

FIELDS = ("name", "email", "department", "position", "externalId", "startDate")
TRIES = 6
BUSY = {429, 502, 503, 504}


def send(base: str, key: str, employee: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """(status, answer) of one announcement; tries again while the portal is busy or can't be reached."""
    body = json.dumps({"employee": employee}, sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        "X-API-Key": key,
        "Idempotency-Key": "csv-" + hashlib.sha256(body).hexdigest(),
    }
    for tries in range(TRIES):
        wait = 2.0**tries
        try:
            request = urllib.request.Request(f"{base}/api/webhooks/hr/onboarding", body, headers)
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code not in BUSY:
                return error.code, json.load(error)
            wait = float(error.headers.get("Retry-After") or wait)
        except (OSError, ValueError) as error:
            print(f"  {error}", file=sys.stderr)
        if tries + 1 < TRIES:
            time.sleep(wait)
    return 0, {"message": f"no answer after {TRIES} tries"}


def main(path: str, base: str = "http://127.0.0.1:8000") -> int:
    """One line for each row."""
    key, failed = os.environ["HR_WEBHOOK_API_KEY"], 0
    with open(path, encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            employee = {name: row[name].strip() for name in FIELDS if (row.get(name) or "").strip()}
            status, answer = send(base.rstrip("/"), key, employee)
            word = {202: "new", 200: "known"}.get(status, "FAILED")
            failed += word == "FAILED"
            detail = "; ".join(f"{one['field']}: {one['message']}" for one in answer.get("detail", []))
            print(
                f"{word:6} {employee.get('email', '(no e-mail)')}: {answer.get('message')} {detail}".rstrip()
            )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
