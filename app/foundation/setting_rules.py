"""The kinds of settings: how each is read from text, what it defaults to and what production demands of it.

A rule sees the fields declared above its own; `environment` and `data_dir` therefore come first in `Settings`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from app.foundation.currencies import currencies
from app.foundation.embedded.location import EmbeddedError, postgres_url, private_directory, redis_url
from app.foundation.reachable import Network, parse_network, parse_ports
from app.foundation.secret_files import generated_secret

_REPOSITORY = Path(__file__).resolve().parents[2]
_REQUIRED = "required in production"
_SHORTEST_SECRET, _SHORTEST_PASSWORD, _FEWEST_CHARACTERS = 32, 12, 8
_LOOKS_LIKE_A_DEFAULT = (
    "change", "secret", "password", "default", "example", "placeholder", "insecure", "your-", "your_",
)  # fmt: skip


def _demand(condition: object, otherwise: str) -> None:
    if not condition:
        raise ValueError(otherwise)


def _production(info: ValidationInfo) -> bool:
    return info.data.get("environment") == "production"


def _parts(value: object) -> object:
    return (
        tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
    )


def _each(read: Callable[[str], object], otherwise: str) -> Callable[[object], object]:
    """Every part read by a function, which raises ValueError for what it can't read."""

    def parts(value: object) -> object:
        try:
            return tuple(read(part) if isinstance(part, str) else part for part in _parts(value))  # type: ignore[attr-defined]
        except ValueError:
            raise ValueError(otherwise) from None

    return parts


def _data_dir(value: Path, info: ValidationInfo) -> Path:
    """Relative to the repository, whatever folder a process was started in. Development makes it on the way."""
    try:
        path = (_REPOSITORY / value.expanduser()).resolve()
        return private_directory(path) if info.data.get("environment") == "development" else path
    except (RuntimeError, EmbeddedError) as error:
        raise ValueError(str(error)) from None


def _off_in_production(value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic passes it so
    _demand(not (value and _production(info)), "must be off in production")
    return value


def _known_zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Europe/Berlin") from None


def _known_currency(value: str) -> str:
    _demand(value.upper() in currencies(), "not a currency of ISO 4217 such as EUR")
    return value.upper()


def _http_url(value: str, info: ValidationInfo) -> str:
    """Where people reach the portal; without a word, where it listens."""
    if not value:
        host = {"0.0.0.0": "localhost", "::": "localhost"}.get(info.data["host"], info.data["host"])  # noqa: S104
        value = f"http://{f'[{host}]' if ':' in host else host}:{info.data.get('port', 80)}"
    parts = urlsplit(value)
    _demand(parts.scheme in {"http", "https"} and parts.hostname, "not an http:// or https:// URL")
    return value.rstrip("/")


def _named_in_production(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    _demand(not (_production(info) and "*" in "".join(value)), "must not contain a wildcard in production")
    return value


def _required_in_production(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    _demand(value or not _production(info), _REQUIRED)
    return value


def _postgres_url(value: str, info: ValidationInfo) -> str:
    """Name the driver: SQLAlchemy 2.1 takes `postgresql://` for another one than ours."""
    scheme, _, rest = (value or _embedded(info, postgres_url)).partition("://")
    _demand(scheme in {"postgres", "postgresql", "postgresql+psycopg2"} and rest, "not a postgresql:// URL")
    return f"postgresql+psycopg2://{rest}"


def _redis_url(value: str, info: ValidationInfo) -> str:
    value = value or _embedded(info, redis_url)
    _demand(
        value.startswith(("redis://", "rediss://", "unix://")), "not a redis://, rediss:// or unix:// URL"
    )
    return value


def _embedded(info: ValidationInfo, url_of: Callable[[Path], str]) -> str:
    """The URL of the embedded engine, which development may lean on and production may not."""
    _demand(not _production(info), _REQUIRED)
    return url_of(info.data.get("data_dir", _REPOSITORY))


def _strong_secret(value: str, info: ValidationInfo) -> str:
    if _production(info):
        _demand(value, _REQUIRED)
        _demand_strength(value, _SHORTEST_SECRET)
    return value or _generated(info)


def _strong_password(value: str, info: ValidationInfo) -> str:
    """Only the first start needs it, so production may leave it out; `flask setup` asks for it then."""
    if value and _production(info):
        _demand_strength(value, _SHORTEST_PASSWORD)
    return value or _generated(info)


def _strong_keys(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    if _production(info):
        _demand(value, _REQUIRED)
        for key in value:
            _demand_strength(key, _SHORTEST_SECRET)
    return value or (_generated(info),)


def _demand_strength(secret: str, shortest: int) -> None:
    _demand(len(secret) >= shortest, f"shorter than {shortest} characters")
    default = any(word in secret.lower() for word in _LOOKS_LIKE_A_DEFAULT)
    guessable = default or len(set(secret)) < _FEWEST_CHARACTERS
    _demand(not guessable, "looks like a default: make one with `openssl rand -hex 32`")


def _generated(info: ValidationInfo) -> str:
    """A secret made for the data directory, unless that or the environment is itself what is wrong."""
    if info.data.get("environment") != "development" or "data_dir" not in info.data:
        return ""
    try:
        return generated_secret(info.data["data_dir"], info.field_name or "")
    except (OSError, EmbeddedError) as error:
        raise ValueError(f"can't be kept: {error}") from None


Hidden = Annotated[str, Field(repr=False)]
Parts = Annotated[tuple[str, ...], BeforeValidator(_parts)]
Port = Annotated[int, Field(ge=1, le=65535)]
DebugMode = Annotated[bool, AfterValidator(_off_in_production)]
DataDir = Annotated[Path, AfterValidator(_data_dir)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Currency = Annotated[str, AfterValidator(_known_currency)]
PublicUrl = Annotated[str, AfterValidator(_http_url)]
Origins = Annotated[Parts, AfterValidator(_named_in_production)]
Hosts = Annotated[Origins, AfterValidator(_required_in_production)]
PostgresUrl = Annotated[Hidden, AfterValidator(_postgres_url)]
RedisUrl = Annotated[Hidden, AfterValidator(_redis_url)]
SigningSecret = Annotated[Hidden, AfterValidator(_strong_secret)]
Password = Annotated[Hidden, AfterValidator(_strong_password)]
ApiKeys = Annotated[Parts, Field(repr=False), AfterValidator(_strong_keys)]
OutgoingPorts = Annotated[
    tuple[Any, ...], BeforeValidator(_each(parse_ports, "not ports such as 443,8443,9000-9100"))
]
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(_each(parse_network, "not networks such as 10.20.0.0/16,192.168.1.7")),
]
