"""Secrets that a data directory makes for itself once, so that nobody has to invent them to get started."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from app.foundation.embedded.location import private_directory

_made: set[Path] = set()


def made_here() -> frozenset[Path]:
    """The secrets that this very process has made up, so that nobody can have used them before."""
    return frozenset(_made)


def secret_file(data_dir: Path, name: str) -> Path:
    return data_dir / "secrets" / name


def generated_secret(data_dir: Path, name: str) -> str:
    """The secret of this data directory, made on first use; processes that start together get the same one.

    A finished file is linked to its place, which only the first can do: no reader ever meets half a secret.
    """
    path = secret_file(data_dir, name)
    with suppress(FileNotFoundError):
        return path.read_text()
    private_directory(path.parent)
    with NamedTemporaryFile("w", dir=path.parent) as draft:  # mode 0600
        draft.write(secrets.token_urlsafe(32))
        draft.flush()
        os.fsync(draft.fileno())
        with suppress(FileExistsError):
            os.link(draft.name, path)
            _made.add(path)
    return path.read_text()
