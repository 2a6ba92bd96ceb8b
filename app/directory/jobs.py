"""Jobs of the directory."""

from app.directory import operations as directory
from app.foundation.jobs import job


@job
def prune_sign_in_limits() -> str:
    """Forget attempts to sign in that no longer matter."""
    return f"{directory.prune_limits()} forgotten"
