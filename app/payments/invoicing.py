"""The verbs of invoices: a file is attached to a payment once it is known to be what it says, and withdrawn if it was a mistake."""

import hashlib
import re
import unicodedata

from app.foundation import card_numbers, clock
from app.foundation.actor import current_actor
from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput
from app.payments import attachments
from app.payments.access import must_be_admin
from app.payments.file_kinds import ENDINGS, Lying, kind_of
from app.payments.history_models import Invoice, InvoiceType, PaymentMade

FIELD = "invoices"
LONGEST_FILE_NAME = 200
LONGEST_WHY = 200
# Control and format characters (a name may be written from right to left to hide its ending), and what names no file.
_ENDING = re.compile("[A-Za-z][A-Za-z0-9]{0,7}")
_ODD = re.compile(r'[<>:"|?*]')


def attach_invoice(payment: PaymentMade, *, name: str, content: bytes) -> Invoice:
    """Keep a file with its payment. InvalidInput for a file that is none of the three kinds, or lies about it."""
    must_be_admin()
    try:
        kind = kind_of(content)
        name = file_name(name, kind)
    except Lying as error:
        raise InvalidInput(**{FIELD: str(error)}) from None
    actor = current_actor()
    invoice = Invoice(
        payment=payment,
        name=name,
        mime_type=kind.value,
        size=len(content),
        sha256=hashlib.sha256(content).digest(),
        uploaded_by_id=actor.id,
        uploaded_by_name=actor.name,
        stored_name=attachments.keep(content),
    )
    db.session.add(invoice)
    db.session.flush()
    return invoice


def withdraw_invoice(invoice: Invoice, *, why: str | None) -> Invoice:
    """Take back a file that was attached by mistake: who, when and why stays, and the payment is not touched.

    The content stays where it lies, and nobody gets it any more. Conflict if it is withdrawn already.
    """
    must_be_admin()
    db.session.refresh(invoice, with_for_update=True)
    if invoice.withdrawn_at is not None:
        raise Conflict(f"{invoice.withdrawn_by_name} has removed this invoice already.")
    reason = (why or "").strip()
    if not reason:
        raise InvalidInput(why="Say why it is removed.")
    if len(reason) > LONGEST_WHY:
        raise InvalidInput(why=f"At most {LONGEST_WHY} characters.")
    actor = current_actor()
    invoice.withdrawn_at, invoice.withdrawn_why = clock.now(), reason
    invoice.withdrawn_by_id, invoice.withdrawn_by_name = actor.id, actor.name
    db.session.flush()
    return invoice


def file_name(given: str, kind: InvoiceType) -> str:
    """A name that is safe to show and to save under. Lying if its ending is of another kind, or if it is a card number."""
    name = re.split(r"[/\\]", given)[-1]
    name = "".join(one for one in unicodedata.normalize("NFC", name) if unicodedata.category(one)[0] != "C")
    name = _ODD.sub("", name).strip()
    stem, _, ending = name.rpartition(".")
    endings = ENDINGS[kind]
    if not _ENDING.fullmatch(ending) or "." not in name:
        stem, ending = name, endings[0][1:]
    if f".{ending.lower()}" not in endings:
        raise Lying(f"The file is called .{ending}, but it is a {kind.name}.")
    if card_numbers.stands_in(stem):
        raise Lying(f"The name of the file: {card_numbers.MESSAGE}")
    return f"{stem[:LONGEST_FILE_NAME].strip(' .') or 'invoice'}.{ending}"
