"""What gunicorn itself says goes the way of everything else; requests are logged by `observing`."""

from typing import Any

from gunicorn.glogging import Logger


class WebServerLogger(Logger):
    """Gunicorn's loggers without handlers of their own."""

    def setup(self, cfg: Any) -> None:
        """Called again at each reload."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
