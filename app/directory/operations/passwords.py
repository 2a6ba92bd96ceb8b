"""What a password must be: long, and not among the first that somebody would try (NIST SP 800-63B, 5.1.1.2).

There are no rules about kinds of characters: they make passwords alike, not strong.
"""

from app.directory.models import Account
from app.foundation.errors import InvalidInput

SHORTEST, LONGEST = 12, 1024
# zxcvbn takes no more, and its work grows with the square.
JUDGED = 72
# Of 0 to 4; 3 is "safely unguessable" for who has the hash: at least 10^8 guesses.
WEAKEST = 3


def check(password: str, account: Account) -> None:
    """InvalidInput for a password that is too short, too long, common, or made of the account's own names."""
    if len(password) < SHORTEST:
        _refuse(f"Use at least {SHORTEST} characters; a few unrelated words do well.")
    if len(password) > LONGEST:
        _refuse(f"Use at most {LONGEST:,} characters.")
    if password.lower() in {account.email.lower(), account.username.lower()}:
        _refuse("The password must not be the e-mail address.")
    if _score(password[:JUDGED], _known_of(account)) < WEAKEST:
        _refuse("This password is easy to guess. Use a few unrelated words instead.")


def _score(password: str, known: list[str]) -> int:
    from zxcvbn import zxcvbn  # noqa: PLC0415 - 13 MB of words, in the few processes that judge a password

    score: int = zxcvbn(password, user_inputs=known)["score"]
    return score


def _known_of(account: Account) -> list[str]:
    """What everybody who guesses tries first."""
    words = [account.email, *account.email.split("@"), account.username]
    return [word for word in [*words, account.first_name, account.last_name, "portalops"] if word]


def _refuse(message: str) -> None:
    raise InvalidInput(password=message)
