"""What came of an attempt to send something."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_ANSWER = 1_000


class Verdict(StrEnum):
    """SENT; AGAIN: a fault that passes; NEVER: this will not work; UNKNOWN: it may have arrived."""

    SENT = "sent"
    AGAIN = "again"
    NEVER = "never"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`answer` is the server's own, or why there was none. `for_all`: the same would befall every other message."""

    verdict: Verdict
    answer: str
    for_all: bool = False


def sent(answer: str) -> Outcome:
    """It was taken."""
    return Outcome(Verdict.SENT, answer[:LONGEST_ANSWER])


def again(answer: str, *, for_all: bool = False) -> Outcome:
    """Try later."""
    return Outcome(Verdict.AGAIN, answer[:LONGEST_ANSWER], for_all)


def never(answer: str) -> Outcome:
    """Trying again would change nothing."""
    return Outcome(Verdict.NEVER, answer[:LONGEST_ANSWER])


def unknown(answer: str) -> Outcome:
    """It left, and whether it arrived nobody said."""
    return Outcome(Verdict.UNKNOWN, answer[:LONGEST_ANSWER])
