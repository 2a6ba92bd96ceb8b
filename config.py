"""Every setting of PortalOps, read from the environment once per process and checked as a whole.

Nothing else reads the environment. `load()` names every bad variable in one ConfigError, so that nobody fixes ten
variables in ten starts. It is pydantic alone: each process reads the settings, and pydantic-settings would add half as
much again to their import without making this page shorter.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field, ValidationError

from app.foundation import setting_rules as rules
from app.foundation.embedded.location import postgres_url, redis_url
from app.foundation.secret_files import secret_file

ROOT = Path(__file__).resolve().parent
# No setting: prometheus_client looks for it in the environment of each process that counts.
METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

# Each is also read from the file that NAME_FILE points to, which is how containers hand over secrets.
SECRETS = (
    "database_url",
    "redis_url",
    "secret_key",
    "jwt_secret_key",
    "hr_webhook_api_key",
    "admin_password",
    "smtp_password",
    "backup_database_url",
    "s3_access_key_id",
    "s3_secret_access_key",
    "metrics_token",
    "sentry_dsn",
)


class ConfigError(Exception):
    """The environment makes no sense; the message has one line for each bad variable, and no secret."""


class Settings(BaseModel):
    """A field is the variable of the same name in capitals; `env.example` explains each."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    environment: Literal["development", "production"] = "development"
    data_dir: rules.DataDir = Path("data")

    debug: rules.DebugMode = False
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["auto", "json", "text"] = "auto"
    project_name: str = "PortalOps"
    timezone: rules.Zone = "UTC"
    currency: rules.Currency = "USD"
    api_v1_str: str = Field("/api", pattern=r"^(/[\w.-]+)+$")

    host: str = "127.0.0.1"
    port: rules.Port = 8000
    public_url: rules.PublicUrl = ""
    trusted_hosts: rules.Hosts = ()
    cors_origins: rules.Origins = ()
    proxy_count: rules.ProxyCount = rules.UNSAID
    trusted_proxies: rules.Networks = rules.PRIVATE_NETWORKS
    max_file_size: ByteSize = ByteSize(10 * 1024 * 1024)

    plaintext_hosts: rules.Parts = ()
    database_url: rules.PostgresUrl = ""
    redis_url: rules.RedisUrl = ""
    db_pool_size: int = Field(10, ge=1, le=500)
    db_pool_overflow: int = Field(2, ge=0, le=500)
    web_workers: int = Field(2, ge=1, le=64)
    web_threads: int = Field(8, ge=1, le=64)
    worker_count: int = Field(1, ge=1, le=64)

    secret_key: rules.SigningSecret = ""
    jwt_secret_key: rules.SigningSecret = ""
    jwt_access_token_expire_minutes: int = Field(15, ge=1, le=24 * 60)
    hr_webhook_api_key: rules.ApiKeys = ()
    admin_password: rules.Password = ""
    admin_email: rules.AdminEmail = rules.FIRST_ADMINISTRATOR

    metrics_token: rules.OptionalSecret = ""
    sentry_dsn: rules.SentryDsn = ""

    keep_work_days: int = Field(30, ge=1, le=3650)
    keep_runs_days: int = Field(400, ge=1, le=3650)
    keep_notices_days: int = Field(400, ge=1, le=3650)

    backup_dir: rules.BackupDir = Path()
    backup_recipient: rules.Recipients = ()
    backup_keep_days: int = Field(30, ge=1, le=3650)
    backup_database_url: rules.DirectUrl = ""

    attachments_url: str = Field("", pattern=r"^(s3://[a-z0-9][a-z0-9.-]+(/[\w./-]*)?)?$")
    s3_endpoint_url: str = Field("", pattern=r"^(https?://[^/\s]+/?)?$")
    s3_region: str = "us-east-1"
    s3_access_key_id: rules.Hidden = ""
    s3_secret_access_key: rules.OtherHalf = ""

    smtp_host: str = ""
    smtp_port: rules.Port = 587
    smtp_user: str = ""
    smtp_password: rules.OwnPassword = ""
    smtp_starttls: rules.StartTls = True
    from_email: str = Field("portalops@localhost", pattern=r"^[^@]+@[^@\s]+$")

    outgoing_ports: rules.OutgoingPorts = (range(443, 444), range(8443, 8444))
    outgoing_networks: rules.Networks = ()
    outgoing_http: bool = False

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def logs_are_json(self) -> bool:
        """For machines in production and for people in development, unless somebody says otherwise."""
        return self.log_format == "json" or (self.log_format == "auto" and self.production)

    @property
    def embedded_database(self) -> bool:
        return self.database_url == postgres_url(self.data_dir)

    @property
    def embedded_redis(self) -> bool:
        return self.redis_url == redis_url(self.data_dir)

    def is_generated(self, name: str) -> bool:
        """Whether a secret is the one this data directory made for itself, so that somebody must be told it once."""
        path, value = secret_file(self.data_dir, name), getattr(self, name)
        return path.exists() and path.read_text() in (value if isinstance(value, tuple) else (value,))


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in `environ`; without one, in this process's environment and the repository's `.env` file.

    An empty variable counts as unset. Raises ConfigError.
    """
    everything = _process_environment() if environ is None else environ
    given = {name: value for name, value in everything.items() if value.strip()}
    values = {name: given[name.upper()] for name in Settings.model_fields if name.upper() in given}
    from_files, faults = _secret_files(given)
    try:
        settings = Settings.model_validate(values | from_files)
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            faults.setdefault(str(fault["loc"][0]).upper(), fault["msg"].removeprefix("Value error, "))
        raise _config_error(faults) from None
    if faults:
        raise _config_error(faults)
    return settings


def refused_in_production(settings: Settings) -> list[str]:
    """The variables that production would refuse as they are."""
    given = settings.model_dump(exclude_defaults=True) | {"environment": "production"}
    for name in ("database", "redis"):
        if getattr(settings, f"embedded_{name}"):
            del given[f"{name}_url"]
    if not settings.proxy_count:
        del given["proxy_count"]
    try:
        Settings.model_validate(given)
    except ValidationError as error:
        return sorted({str(fault["loc"][0]).upper() for fault in error.errors(include_input=False)})
    return []


def load_or_exit() -> Settings:
    """The settings of a program that can't go on without them: it says what is wrong and ends with exit code 2."""
    try:
        return load()
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before anything else is set up
        raise SystemExit(2) from None


def metrics_folder() -> Path | None:
    """Where the processes of one gunicorn count together: gunicorn.conf.py names it before it starts them."""
    folder = os.environ.get(METRICS_VARIABLE)
    return Path(folder) if folder else None


def _process_environment() -> Mapping[str, str]:
    file = ROOT / ".env"
    if os.environ.get("ENVIRONMENT") == "production" or not file.exists():
        return os.environ
    from dotenv import dotenv_values  # noqa: PLC0415 - most processes have no such file

    return {name: value or "" for name, value in dotenv_values(file).items()} | dict(os.environ)


def _secret_files(given: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets that NAME_FILE variables point to, and what is wrong with some of those variables."""
    values, faults = {}, {}
    for name in SECRETS:
        variable = name.upper()
        path = given.get(f"{variable}_FILE")
        if path is None:
            continue
        if variable in given:
            faults[variable] = f"given twice, here and as {variable}_FILE"
        try:
            values[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            faults[variable] = f"{variable}_FILE can't be read ({getattr(error, 'strerror', 'not text')})"
        else:
            if not values[name]:
                faults[variable] = f"{variable}_FILE is empty"
    return values, faults


def _config_error(faults: Mapping[str, str]) -> ConfigError:
    lines = [f"  {name}: {fault}" for name, fault in faults.items()]
    return ConfigError("\n".join(["PortalOps can't start with these settings:", *lines]))
