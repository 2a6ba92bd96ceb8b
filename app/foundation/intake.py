"""What every request is checked for before anything reads it."""

from flask import Flask, request
from flask_appbuilder.urltools import get_page_args, get_page_size_args

from app.foundation.errors import Unreadable
from app.foundation.schemas import UNFIT


def init_app(app: Flask) -> None:
    """Check addresses, forms and page arguments; JSON bodies are checked by their schemas."""
    app.before_request(refuse_unfit_text)
    app.before_request(check_page_arguments)


def refuse_unfit_text() -> None:
    """PostgreSQL holds no NUL, and no name or search needs another control character (Unreadable)."""
    pairs = list(request.args.items(multi=True))
    if request.mimetype in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        pairs += request.form.items(multi=True)
    texts = [request.path, *(text for pair in pairs for text in pair)]
    if any(UNFIT.search(text) for text in texts):
        raise Unreadable("Remove the control characters.")


def check_page_arguments() -> None:
    """FAB reads `page_X` and `psize_X` as numbers without asking whether they are (Unreadable)."""
    try:
        numbers = [*get_page_args().values(), *get_page_size_args().values()]
    except ValueError:
        raise Unreadable("page_ and psize_ take numbers.") from None
    if any(not 0 <= number < 2**31 for number in numbers):
        raise Unreadable("page_ and psize_ take numbers from 0.")
