"""How an application is put together, in the order that Flask-AppBuilder needs."""

import logging
from datetime import timedelta
from typing import Any

from flask import Flask
from flask_appbuilder import AppBuilder
from flask_migrate import Migrate
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

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
    lookup,
    outbox,
    redis_client,
    references,
    rendering,
    ticking,
    trace,
)
from app.foundation.database import db
from app.foundation.reachable import Rules
from app.inbox import access as _inbox
from app.inventory.models import Product, Service
from app.lifecycle import access as _lifecycle
from app.notifications import access as _notifications
from app.notifications.mail import Smtp
from app.reminders import access as _reminders
from app.reports.views import HomeView
from app.webhooks import access as _webhooks
from config import Settings, load

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
    settings = settings or load()
    configure_logging(settings.log_level)
    app = Flask("app")
    app.config.from_mapping(flask_config(settings))
    json_answers.init_app(app)
    if settings.proxy_count:
        hops = settings.proxy_count
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    db.init_app(app)
    Migrate(app, db, directory="migrations")
    headers.init_app(app, secure=settings.public_url.startswith("https://"))
    CSRFProtect(app)
    redis_client.init_app(app)
    trace.init_app(app)
    cors.init_app(app, settings.cors_origins)
    rendering.init_app(app)
    icons.init_app(app)
    page_context.init_app(app)
    values.init_app(app)
    health.init_app(app)
    denials.init_app(app)
    intake.init_app(app)
    app.url_map.strict_slashes = False

    offer_lookups()
    wiring.connect()
    ticking.install(schedule.SCHEDULE)
    furnish(app)
    cli.init_app(app)
    return app


def configure_logging(level: str) -> None:
    """One line a record, to standard error; whoever runs the process decides where it goes."""
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    for chatty in ("flask_appbuilder", "alembic", "apprise", "rq.scheduler", "rq_scheduler.scheduler"):
        logging.getLogger(chatty).setLevel(max(logging.getLevelName(level), logging.WARNING))


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
        "ATTACHMENTS": str(settings.data_dir / "attachments"),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_size": settings.db_pool_size,
            "max_overflow": 2,
            "pool_timeout": 5,
            "connect_args": {
                "connect_timeout": 3,
                "tcp_user_timeout": 10_000,
                "options": "-c timezone=UTC -c statement_timeout=30000 -c jit=off",
            },
        },
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
