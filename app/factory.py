"""How an application is put together, in the order that Flask-AppBuilder needs."""

from datetime import timedelta
from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from app import VERSION, cli, health, icons, navigation, page_context, roles, schedule, values, wiring
from app.audit import access as _audit
from app.audit import denials
from app.audit import recorder as _recorder
from app.directory.models import Department, Person
from app.directory.security import PortalSecurityManager
from app.foundation import (
    cors,
    fab,
    headers,
    intake,
    json_answers,
    logs,
    lookup,
    observing,
    outbox,
    proxies,
    redis_client,
    references,
    rendering,
    storage,
    ticking,
    trace,
)
from app.foundation.database import db
from app.foundation.lean import LeanFlask
from app.foundation.reachable import Rules
from app.inbox import access as _inbox
from app.inventory.models import Product, Service
from app.lifecycle import access as _lifecycle
from app.monitoring import scraping
from app.notifications import access as _notifications
from app.notifications.mail import Smtp
from app.reminders import access as _reminders
from app.reports.views import HomeView
from app.webhooks import access as _webhooks
from config import ROOT, Settings, load_or_exit, metrics_folder

# Importing these declares row rules and listens to the session.
DECLARED_BY_IMPORT = (
    _audit,
    _recorder,
    _inbox,
    _lifecycle,
    _notifications,
    _reminders,
    _webhooks,
    outbox,
    references,
)


def build(settings: Settings | None = None) -> Flask:
    """See `app.create_app`."""
    settings = settings or load_or_exit()
    logs.configure(settings.log_level, json=settings.logs_are_json)
    report_errors(settings)
    app = LeanFlask("app")
    app.config.from_mapping(flask_config(settings))
    app.extensions["settings"] = settings
    json_answers.init_app(app)
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    observing.init_app(app, scraping.meter(settings.metrics_token), unlogged=health.BY_ADDRESS)
    headers.init_app(app, secure=settings.public_url.startswith("https://"))
    CSRFProtect(app)
    redis_client.init_app(app)
    furnish_storage(app, settings)
    trace.init_app(app)
    cors.init_app(app, settings.cors_origins)
    rendering.init_app(app)
    icons.init_app(app)
    page_context.init_app(app)
    values.init_app(app)
    health.init_app(app)
    scraping.init_app(app)
    denials.init_app(app)
    intake.init_app(app)
    app.url_map.strict_slashes = False
    proxies.init_app(app, settings.proxy_count, settings.trusted_proxies)

    offer_lookups()
    wiring.connect()
    ticking.install(schedule.SCHEDULE)
    furnish(app)
    observing.watch_paths(app)
    cli.init_app(app)
    return app


def report_errors(settings: Settings) -> None:
    """To whom SENTRY_DSN says. Who reports nowhere need not import it."""
    if settings.sentry_dsn:
        from app.monitoring import reporting  # noqa: PLC0415

        reporting.begin(settings.sentry_dsn, settings.environment)


def furnish(app: Flask) -> None:
    """Build FAB inside the factory: one that lives in a module serves the second app nothing but 404."""
    fab.install()
    with app.app_context():
        appbuilder = AppBuilder(
            app,
            db.session,
            indexview=HomeView,
            security_manager_class=PortalSecurityManager,
            update_perms=False,
        )
        navigation.furnish(appbuilder)
    # Imported by each template, it would cost more than what a template does with it.
    app.jinja_env.globals["ui"] = app.jinja_env.get_template("portal/macros.html").module


def offer_lookups() -> None:
    """What forms may refer to, and the column that shows it."""
    for model in (Department, Person, Product, Service):
        lookup.offer(model, model.name)


def furnish_storage(app: Flask, settings: Settings) -> None:
    """Where attachments lie; what is not set is left to the client."""
    access = {
        "endpoint": settings.s3_endpoint_url.rstrip("/"),
        "region": settings.s3_region,
        "access_key_id": settings.s3_access_key_id,
        "secret_access_key": settings.s3_secret_access_key,
    }
    given = {name: value for name, value in access.items() if value}
    storage.init_app(app, settings.attachments_url, settings.data_dir / "attachments", **given)


def outgoing_mail(settings: Settings) -> Smtp:
    """The mail server, if there is one, and in whose name mails are sent."""
    return Smtp(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_starttls,
        settings.from_email,
        settings.project_name,
        settings.public_url,
    )


def backup_config(settings: Settings) -> dict[str, Any]:
    """Where backups go, for whom they are encrypted, how long they stay, and what is asked for the database."""
    return {
        "BACKUP_DIR": str(settings.backup_dir),
        "BACKUP_RECIPIENTS": settings.backup_recipient,
        "BACKUP_KEEP_DAYS": settings.backup_keep_days,
        "BACKUP_DATABASE_URL": settings.backup_database_url,
    }


def database_pool(settings: Settings) -> dict[str, Any]:
    """How many connections a process keeps, how long it waits, and what it asks of each (PgBouncer: deploy/pgbouncer.ini)."""
    return {
        "hide_parameters": True,  # in messages of errors, which are logged
        "pool_size": settings.db_pool_size,
        "max_overflow": settings.db_pool_overflow,
        "pool_timeout": 5,
        # Firewalls forget idle lines without a word.
        "pool_recycle": 1800,
        "connect_args": {
            "connect_timeout": 3,
            "keepalives_idle": 60,
            "tcp_user_timeout": 10_000,
            "options": "-c timezone=UTC -c statement_timeout=30000 -c jit=off",
        },
    }


def flask_config(settings: Settings) -> dict[str, Any]:
    """The settings in the words of Flask and its extensions."""
    return {
        "APP_NAME": settings.project_name,
        "VERSION": VERSION,
        "ENVIRONMENT": settings.environment,
        "DEBUG": settings.debug,
        "PUBLIC_URL": settings.public_url,
        "API_PREFIX": settings.api_v1_str,
        "TIMEZONE": settings.timezone,
        "CURRENCY": settings.currency,
        "ADMIN_EMAIL": settings.admin_email,
        "ADMIN_PASSWORD": settings.admin_password,
        "SECRET_KEY": settings.secret_key,
        "JWT_SECRET_KEY": settings.jwt_secret_key,
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(minutes=settings.jwt_access_token_expire_minutes),
        # Hashes are slow, and those who wait for one hold a thread each.
        "SIGN_INS_AT_ONCE": max(1, settings.web_threads - 2),
        "HR_WEBHOOK_API_KEYS": settings.hr_webhook_api_key,
        "TRUSTED_HOSTS": list(settings.trusted_hosts) or None,
        "FAB_SAFE_REDIRECT_HOSTS": list(settings.trusted_hosts),
        "MAX_CONTENT_LENGTH": int(settings.max_file_size),
        "DATA_DIR": str(settings.data_dir),
        "KEEP_WORK_DAYS": settings.keep_work_days,
        "KEEP_RUNS_DAYS": settings.keep_runs_days,
        "KEEP_NOTICES_DAYS": settings.keep_notices_days,
        **backup_config(settings),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": database_pool(settings),
        "METRICS_TOKEN": settings.metrics_token,
        "METRICS_FOLDER": metrics_folder(),
        "REDIS_URL": settings.redis_url,
        "SMTP": outgoing_mail(settings),
        "OUTGOING": Rules(settings.outgoing_ports, settings.outgoing_networks, settings.outgoing_http),
        "SESSION_COOKIE_NAME": "portalops",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        "WTF_CSRF_TIME_LIMIT": None,
        "FAB_ROLES": roles.ROLES,
        "FAB_BASE_TEMPLATE": "portal/base.html",
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        # Ours, not FAB's: see PortalSecurityManager.validate_api_key.
        "FAB_API_KEY_ENABLED": True,
        "FAB_API_KEY_PREFIXES": ["po_"],
        "FAB_ADD_SECURITY_VIEWS": True,
        "FAB_API_MAX_PAGE_SIZE": 100,
        "FAB_ADD_MENU_API": False,
        "FAB_ADD_OPENAPI_VIEWS": False,
        "FAB_PASSWORD_COMPLEXITY_ENABLED": False,
        "BABEL_DEFAULT_TIMEZONE": settings.timezone,
        "LANGUAGES": {},
    }
