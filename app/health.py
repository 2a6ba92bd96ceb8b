"""`/health`: whether this deployment can do its work, for people and load balancers."""

from flask import Flask, current_app
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.foundation import redis_client
from app.foundation.database import db


def init_app(app: Flask) -> None:
    """Public, and cheap."""
    app.add_url_rule("/health", "health", health)


def health() -> tuple[dict[str, str], int]:
    """503 without the database. Without Redis the portal is degraded, not down: work waits in the outbox."""
    found = {"service": current_app.config["APP_NAME"], "version": current_app.config["VERSION"]}
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return {"status": "unhealthy", "database": "unreachable", **found}, 503
    try:
        redis_client.quick().ping()
    except (RedisError, OSError):
        return {"status": "healthy", "database": "ok", "redis": "unreachable, work waits", **found}, 200
    return {"status": "healthy", "database": "ok", "redis": "ok", **found}, 200
