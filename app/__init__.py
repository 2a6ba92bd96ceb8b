"""PortalOps: the portal from which a company runs its web services."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings

VERSION = "0.1.0"


def create_app(settings: "Settings | None" = None) -> "Flask":
    """The application, from these settings or the environment's. Issues no SQL and opens no connection.

    Settings that make no sense end the program (exit code 2). Imports wait until here so that engines and tools that need only a part stay light.
    """
    from app.factory import build  # noqa: PLC0415

    return build(settings)
