"""`docs/webhooks.md`, made of the catalogue: `python -m tests.webhooks.event_types_page` writes it anew."""

import json
from datetime import timedelta

from app.foundation.backoff import WAITS
from app.webhooks import catalogue
from app.webhooks.catalogue import EventType
from app.webhooks.operations.delivering import LEASE
from app.webhooks.operations.endpoints import BOTH_SIGN
from app.webhooks.operations.recording import PATIENCE
from app.webhooks.operations.retention import KEPT
from app.webhooks.shapes import described
from tests.architecture.sources import ROOT

PATH = ROOT / "docs" / "webhooks.md"
HEAD = """# Outgoing webhooks

Other systems are told what happens here: an Admin adds their address under *Webhooks* and chooses event types.
This page is made of the catalogue in `app/webhooks/catalogue.py`; the portal shows the same under *Event types*.

## What arrives

A `POST` with a JSON body, signed as [Standard Webhooks](https://www.standardwebhooks.com) says:

| header | holds |
|---|---|
| `webhook-id` | the message's name, the same at each attempt and each replay: **drop what you have already** |
| `webhook-timestamp` | when this attempt was made, in seconds since 1970 |
| `webhook-signature` | `v1,` and a signature; two of them, with a blank between, for {both} after a new secret was made |

```python
from standardwebhooks import Webhook

body = Webhook("whsec_...").verify(request.get_data(), request.headers)
```

The body is `{{"type", "version", "timestamp", "data"}}`. Ids are text, days `YYYY-MM-DD`, moments ISO 8601 with their offset,
amounts decimal text. Fields may be added to a version, and words to a list of words; whatever else changes makes a new one.
Messages may overtake each other.

## What to answer

| answer | what happens |
|---|---|
| 2xx within 10 seconds | it has arrived |
| anything else, a redirect too, or nothing | again after {waits}, give or take a fifth; then it has failed, Admins are told, and it can be replayed |
| 429 or 503 with `Retry-After` | not before that, a day at most |
| 410 | the endpoint is turned off at once |

An endpoint at which nothing arrives for {patience} days is turned off. What was under way when a worker died is sent again
after {lease} seconds. Messages are kept for {kept} days.

## Where messages may go

To the internet, by https, to port 443 or 8443. `OUTGOING_PORTS`, `OUTGOING_NETWORKS` and `OUTGOING_HTTP` allow more
(`env.example`). An address is checked when it is connected to, whatever its name meant before.

## Event types
"""


def page() -> str:
    """The whole page."""
    head = HEAD.format(
        both=_spoken(BOTH_SIGN),
        waits=", ".join(map(_spoken, WAITS)),
        patience=PATIENCE.days,
        lease=int(LEASE.total_seconds()),
        kept=KEPT.days,
    )
    return head + "".join(_section(one) for one in (*catalogue.EVENT_TYPES, catalogue.TEST))


def _spoken(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    for unit, size in (("hour", 3600), ("minute", 60), ("second", 1)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}{'s' if seconds > size else ''}"
    raise AssertionError


def _section(one: EventType) -> str:
    fields = "".join(f"| `{name}` | {kind} | {says} |\n" for name, kind, says in described(one.shape))
    example = json.dumps(one.example, indent=2, ensure_ascii=False)
    return (
        f"\n### {one.name}\n\n{one.when} Version {one.version}.\n\n"
        f"| field of `data` | kind | |\n|---|---|---|\n{fields}\n```json\n{example}\n```\n"
    )


if __name__ == "__main__":
    PATH.write_text(page(), encoding="utf-8")
