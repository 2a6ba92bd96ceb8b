"""Backups: the whole portal in one file, made while it runs, and put back into an empty database.

`shelf` knows the folder they lie in, `archive` the file, `postgres` the database's part of it; `making` and `restoring`
are the two ways.
"""

from app.foundation.backups.shelf import last_backup as last_backup
