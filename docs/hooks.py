"""Pages of the site that are made when it is built: the settings, of config.py and env.example, and the changelog."""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages, as if they lay in the folder."""
    from docs.settings_page import page  # noqa: PLC0415 - found only now

    made = {
        "operations/settings.md": page(),
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
    }
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files
