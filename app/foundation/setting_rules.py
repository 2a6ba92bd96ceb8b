"""The kinds of settings: how each is read from text, what it defaults to and what production demands of it.

A rule sees the fields declared above its own; `environment` and `data_dir` therefore come first in `Settings`.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from app.foundation.currencies import currencies
from app.foundation.embedded.location import EmbeddedError, postgres_url, private_directory, redis_url
from app.foundation.reachable import Network, parse_network, parse_ports
from app.foundation.safe_settings import (
    SHORTEST_PASSWORD,
    demand,
    demand_private_postgres,
    demand_private_redis,
    demand_strength,
    demand_unlike,
    is_near,
)
from app.foundation.secret_files import generated_secret

_REPOSITORY = Path(__file__).resolve().parents[2]
_AGE_KEY = re.compile("age1[02-9ac-hj-np-z]{58}")
_REQUIRED = "required in production"
FIRST_ADMINISTRATOR = "admin@portalops.local"
UNSAID: Any = None
PRIVATE_NETWORKS = tuple(
    map(
        parse_network,
        ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1", "fc00::/7"),
    )
)
_IMPLICIT_TLS_PORT = 465


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
    demand(not (value and _production(info)), "must be off in production")
    return value


def _known_zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("not a time zone such as Europe/Berlin") from None


def _known_currency(value: str) -> str:
    demand(value.upper() in currencies(), "not a currency of ISO 4217 such as EUR")
    return value.upper()


def _http_url(value: str, info: ValidationInfo) -> str:
    """Where people reach the portal; without a word, where it listens, which is nowhere to send people in production."""
    if _production(info):
        demand(value, _REQUIRED)
        demand(value.startswith("https://"), "must begin with https:// in production")
    if not value:
        host = {"0.0.0.0": "localhost", "::": "localhost"}.get(info.data["host"], info.data["host"])  # noqa: S104
        value = f"http://{f'[{host}]' if ':' in host else host}:{info.data.get('port', 80)}"
    parts = urlsplit(value)
    demand(parts.scheme in {"http", "https"} and parts.hostname, "not an http:// or https:// URL")
    return value.rstrip("/")


def _named_in_production(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    demand(not (_production(info) and "*" in "".join(value)), "must not contain a wildcard in production")
    return value


def _answers_to_public_url(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """Required in production; a portal that refuses its own address would serve nobody."""
    demand(value or not _production(info), _REQUIRED)
    host = urlsplit(info.data.get("public_url", "")).hostname
    trusted = not host or any(_matches(host, name.lower()) for name in value)
    demand(trusted or not _production(info), f"{host}, the host of PUBLIC_URL, is missing")
    return value


def _matches(host: str, name: str) -> bool:
    """As Werkzeug compares hosts: a leading dot admits subdomains."""
    return host == name.lstrip(".") or (name.startswith(".") and host.endswith(name))


def _origins(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    """An origin is compared whole, so one that no browser would send is a mistake that nobody would notice."""
    for origin in value:
        parts = urlsplit(origin.rstrip("/"))
        whole = parts.scheme in {"http", "https"} and parts.hostname and not parts.path + parts.query
        demand(whole or origin == "*", f"{origin} is not an origin such as https://intranet.company.com")
        secure = parts.scheme == "https" or not _production(info)
        demand(secure, f"{origin} must begin with https:// in production")
    return value


def _said_in_production(value: object, info: ValidationInfo) -> object:
    """PUBLIC_URL is https and the portal speaks no TLS, so something stands in front; a guess would be somebody's hole."""
    demand(
        value is not None or not _production(info), "required in production: how many proxies stand in front"
    )
    return 0 if value is None else value


def _not_everybody_s(value: str, info: ValidationInfo) -> str:
    chosen = value != FIRST_ADMINISTRATOR or not info.data.get("admin_password")
    demand(chosen or not _production(info), "give the address of a person: everybody knows the default")
    return value


def _private_mail(value: bool, info: ValidationInfo) -> bool:  # noqa: FBT001 - pydantic passes it so
    """A mail server's password goes over no line that others can read."""
    host, open_line = info.data["smtp_host"], not value and info.data.get("smtp_port") != _IMPLICIT_TLS_PORT
    far = not is_near(host) and host not in info.data.get("plaintext_hosts", ())
    exposed = _production(info) and open_line and far and info.data.get("smtp_password")
    demand(not exposed, f"must be on in production: SMTP_PASSWORD would go to {host} in the clear")
    return value


def _postgres_url(value: str, info: ValidationInfo) -> str:
    """Name the driver: SQLAlchemy 2.1 takes `postgresql://` for another one than ours."""
    scheme, _, rest = (value or _embedded(info, postgres_url)).partition("://")
    demand(scheme in {"postgres", "postgresql", "postgresql+psycopg2"} and rest, "not a postgresql:// URL")
    if _production(info):
        demand_private_postgres(value, info.data.get("plaintext_hosts", ()))
    return f"postgresql+psycopg2://{rest}"


def _direct_url(value: str, info: ValidationInfo) -> str:
    """PostgreSQL itself, where `DATABASE_URL` leads to a pooler."""
    return _postgres_url(value, info) if value else info.data.get("database_url", "")


def _other_half(value: str, info: ValidationInfo) -> str:
    """The secret of an access key comes with the key."""
    demand(bool(value) == bool(info.data.get("s3_access_key_id")), "goes together with S3_ACCESS_KEY_ID")
    return value


def _backup_dir(value: Path, info: ValidationInfo) -> Path:
    """Relative to the repository; without a word, in the data directory."""
    if value == Path():
        return Path(info.data.get("data_dir", _REPOSITORY)) / "backups"
    return (_REPOSITORY / value.expanduser()).resolve()


def _age_keys(value: tuple[str, ...]) -> tuple[str, ...]:
    demand(all(_AGE_KEY.fullmatch(one) for one in value), "not public keys of age, such as age1...")
    return value


def _redis_url(value: str, info: ValidationInfo) -> str:
    value = value or _embedded(info, redis_url)
    demand(value.startswith(("redis://", "rediss://", "unix://")), "not a redis://, rediss:// or unix:// URL")
    if _production(info):
        demand_private_redis(value, info.data.get("plaintext_hosts", ()))
    return value


def _embedded(info: ValidationInfo, url_of: Callable[[Path], str]) -> str:
    """The URL of the embedded engine, which development may lean on and production may not."""
    demand(not _production(info), _REQUIRED)
    return url_of(info.data.get("data_dir", _REPOSITORY))


def _strong_secret(value: str, info: ValidationInfo) -> str:
    if _production(info):
        demand(value, _REQUIRED)
        _demand_secret(value, info)
    return value or _generated(info)


def _strong_password(value: str, info: ValidationInfo) -> str:
    """Only the first start needs it, so production may leave it out; `flask setup` asks for it then."""
    if value and _production(info):
        _demand_secret(value, info, SHORTEST_PASSWORD)
    return value or _generated(info)


def _strong_keys(value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
    if _production(info):
        demand(value, _REQUIRED)
        for key in value:
            _demand_secret(key, info)
        demand(len(set(value)) == len(value), "holds the same key twice")
    return value or (_generated(info),)


def _optional_secret(value: str, info: ValidationInfo) -> str:
    """What it opens stays shut without it."""
    if value and _production(info):
        _demand_secret(value, info)
    return value


def _sentry_dsn(value: str, info: ValidationInfo) -> str:
    """The address of a project of Sentry's: a key, a host and a number."""
    if value:
        parts = urlsplit(value)
        number = parts.path.rpartition("/")[2]
        whole = parts.scheme in {"http", "https"} and parts.username and parts.hostname and number.isdigit()
        demand(whole, "not a DSN such as https://key@sentry.company.com/1")
        near = parts.scheme == "https" or is_near(parts.hostname or "")
        demand(near or not _production(info), "must begin with https:// in production")
    return value


def _own_password(value: str, info: ValidationInfo) -> str:
    """Others chose how strong it is; that it opens nothing else is ours."""
    if value and _production(info):
        demand_unlike(value, _secrets_above(info))
    return value


def _demand_secret(value: str, info: ValidationInfo, *shortest: int) -> None:
    demand_strength(value, *shortest)
    demand_unlike(value, _secrets_above(info))


def _secrets_above(info: ValidationInfo) -> list[tuple[str, object]]:
    names = ("secret_key", "jwt_secret_key", "hr_webhook_api_key", "admin_password")
    return [(name, info.data[name]) for name in names if name in info.data]


def _generated(info: ValidationInfo) -> str:
    """A secret made for the data directory, unless that or the environment is itself what is wrong."""
    if info.data.get("environment") != "development" or "data_dir" not in info.data:
        return ""
    try:
        return generated_secret(info.data["data_dir"], info.field_name or "")
    except (OSError, EmbeddedError) as error:
        raise ValueError(f"can't be kept: {error}") from None


Hidden = Annotated[str, Field(repr=False)]
OtherHalf = Annotated[Hidden, AfterValidator(_other_half)]
BackupDir = Annotated[Path, AfterValidator(_backup_dir)]
Parts = Annotated[tuple[str, ...], BeforeValidator(_parts)]
Recipients = Annotated[Parts, AfterValidator(_age_keys)]
Port = Annotated[int, Field(ge=1, le=65535)]
DebugMode = Annotated[bool, AfterValidator(_off_in_production)]
DataDir = Annotated[Path, AfterValidator(_data_dir)]
Zone = Annotated[str, AfterValidator(_known_zone)]
Currency = Annotated[str, AfterValidator(_known_currency)]
PublicUrl = Annotated[str, AfterValidator(_http_url)]
Named = Annotated[Parts, AfterValidator(_named_in_production)]
Origins = Annotated[Named, AfterValidator(_origins)]
Hosts = Annotated[Named, AfterValidator(_answers_to_public_url)]
ProxyCount = Annotated[int, BeforeValidator(_said_in_production), Field(ge=0, le=9)]
PostgresUrl = Annotated[Hidden, AfterValidator(_postgres_url)]
DirectUrl = Annotated[Hidden, AfterValidator(_direct_url)]
RedisUrl = Annotated[Hidden, AfterValidator(_redis_url)]
SigningSecret = Annotated[Hidden, AfterValidator(_strong_secret)]
Password = Annotated[Hidden, AfterValidator(_strong_password)]
OptionalSecret = Annotated[Hidden, AfterValidator(_optional_secret)]
SentryDsn = Annotated[Hidden, AfterValidator(_sentry_dsn)]
OwnPassword = Annotated[Hidden, AfterValidator(_own_password)]
AdminEmail = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$"), AfterValidator(_not_everybody_s)]
StartTls = Annotated[bool, AfterValidator(_private_mail)]
ApiKeys = Annotated[Parts, Field(repr=False), AfterValidator(_strong_keys)]
OutgoingPorts = Annotated[
    tuple[Any, ...], BeforeValidator(_each(parse_ports, "not ports such as 443,8443,9000-9100"))
]
Networks = Annotated[
    tuple[Network, ...],
    BeforeValidator(_each(parse_network, "not networks such as 10.20.0.0/16,192.168.1.7")),
]
