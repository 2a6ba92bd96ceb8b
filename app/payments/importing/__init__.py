"""Imports of the register: a file is received, its columns are chosen, a dry run shows what it would do, then it is done.

    receiving   the file comes in, what is promised of it, when it goes
    mapping     which column is which field
    parsing     the file is read, by another process
    cells       what a cell says
    planning    what a row would do
    checking    the dry run
    applying    the import, all or nothing

Callers write `from app.payments import importing`, then `importing.receive(...)`.
"""

from app.payments.importing.applying import run_import
from app.payments.importing.checking import check
from app.payments.importing.mapping import guess
from app.payments.importing.receiving import discard, prune, receive, start_check, start_import

__all__ = ["check", "discard", "guess", "prune", "receive", "run_import", "start_check", "start_import"]
