"""What production demands of secrets and of the lines to other machines. ValueError says what is wrong, and no secret.

Only the standard library, and no other setting than those a rule is given: each process reads the settings.
"""

from collections.abc import Container, Iterable, Iterator
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

SHORTEST_SECRET, SHORTEST_PASSWORD = 32, 12
_FEWEST_CHARACTERS, _FEWEST_STEPS = 8, 8
_LOOKS_LIKE_A_DEFAULT = (
    "change", "secret", "password", "default", "example", "placeholder", "insecure", "your-", "your_", "portalops",
)  # fmt: skip
_ENCRYPTED = ("require", "verify-ca", "verify-full")
_OR_PRIVATE = "or name the host in PLAINTEXT_HOSTS if the network between is private"


def demand(condition: object, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def demand_strength(secret: str, shortest: int = SHORTEST_SECRET) -> None:
    """Long enough, and nothing that somebody typed: no default, no few characters, no sequence, nothing repeated."""
    demand(len(secret) >= shortest, f"shorter than {shortest} characters")
    steps = {ord(after) - ord(before) for before, after in pairwise(secret)}
    guessable = (
        any(word in secret.lower() for word in _LOOKS_LIKE_A_DEFAULT)
        or len(set(secret)) < _FEWEST_CHARACTERS
        or len(steps) < _FEWEST_STEPS
        or secret in (secret + secret)[1:-1]
    )
    demand(not guessable, "looks like a default: make one with `openssl rand -hex 32`")


def demand_unlike(secret: str, others: Iterable[tuple[str, object]]) -> None:
    """Who learns one secret must not have learnt another. `others` are names and their values, some of them several."""
    for name, known in others:
        values = known if isinstance(known, tuple) else (known,)
        demand(secret not in values, f"the same as {name.upper()}: each secret needs a value of its own")


def demand_private_postgres(url: str, plaintext: Container[str]) -> None:
    """On the way to another machine, TLS: libpq's own default falls back to none."""
    query = parse_qs(urlsplit(url).query)
    encrypted = query.get("sslmode", [""])[-1] in _ENCRYPTED
    for host in _postgres_hosts(url, query):
        demand(
            encrypted or is_near(host) or host in plaintext,
            f"nothing encrypts the way to {host}: add ?sslmode=verify-full, {_OR_PRIVATE}",
        )


def _postgres_hosts(url: str, query: dict[str, list[str]]) -> Iterator[str]:
    named = [urlsplit(url).hostname or "", *query.get("host", []), *query.get("hostaddr", [])]
    for host in (one for part in named for one in part.split(",") if one):
        yield host if host.startswith("/") else urlsplit(f"//{host}").hostname or host


def demand_private_redis(url: str, plaintext: Container[str]) -> None:
    """Another machine's Redis has a password, and TLS on the way to it."""
    parts = urlsplit(url)
    host, query = parts.hostname or "", parse_qs(parts.query)
    if parts.scheme == "unix" or is_near(host):
        return
    demand(parts.password or query.get("password"), f"has no password: anybody who reaches {host} may use it")
    encrypted = parts.scheme == "rediss" and query.get("ssl_cert_reqs", ["required"])[-1] != "none"
    demand(
        encrypted or host in plaintext,
        f"nothing encrypts the way to {host}: begin with rediss:// (and check its certificate), {_OR_PRIVATE}",
    )


def is_near(host: str) -> bool:
    """Whether a host, or the folder of a Unix socket, is on this machine."""
    return host in {"", "localhost", "::1"} or host.startswith(("/", "127."))
