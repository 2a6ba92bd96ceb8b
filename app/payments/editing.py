"""Changing what somebody else may be changing too, and changing many payments alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from app.audit import queries as log
from app.foundation import clock
from app.foundation.database import db
from app.foundation.errors import Conflict, InvalidInput, NotFound
from app.payments import operations as payments
from app.payments import register_queries, status
from app.payments.access import must_be_admin
from app.payments.models import PaymentInfo

TOGETHER = ("payment_method", "cardholder_name", "card_last4", "expiry_date")
READ_AGAIN = "Load the page again: it does not say which version of the row you saw."


class ChangedMeanwhile(Conflict):
    """The row is not what the viewer saw. `by` is who changed it last, `theirs` what stands where the viewer writes."""

    def __init__(self, payment: PaymentInfo, theirs: dict[str, Any] | None = None) -> None:
        self.by, self.theirs = last_writer(payment), theirs or {}
        self.version, self.currency = payment.updated_at.isoformat(), payment.currency
        super().__init__(f"{self.by} has changed {payment.product} since you loaded it.")


@dataclass(frozen=True, slots=True)
class Change:
    """What would become of one payment: the fields that change, as they are and as they will be, and the state."""

    row: Any
    fields: dict[str, tuple[Any, Any]]
    state: str


def change_as_seen(payment_id: int, seen: str, **fields: Any) -> PaymentInfo:
    """Change a payment that is still as the viewer saw it (`updated_at`), or that has got these values already.

    ChangedMeanwhile otherwise; whoever does not say what they saw is not asked. The row is locked until the commit.
    """
    locked = _locked([payment_id]).get(payment_id)
    if locked is None:
        raise NotFound("There is no such payment, or you may not see it.")
    must_be_admin()
    if seen and locked.updated_at != moment_of(seen):
        clean = payments.cleaned(fields)
        now = {name: getattr(locked, name) for name in clean}
        if theirs := {name: value for name, value in now.items() if value != clean[name]}:
            raise ChangedMeanwhile(locked, theirs)
    return payments.change_payment(locked, **fields)


def change_together(seen: Mapping[int, str], **fields: Any) -> list[PaymentInfo]:
    """The same change to many payments, all or none of them; `seen` tells as when the viewer saw each."""
    must_be_admin()
    found = _locked(list(seen))
    for key, version in seen.items():
        if key not in found:
            raise NotFound("One of these products is gone. Load the page again.")
        if found[key].updated_at != moment_of(version):
            raise ChangedMeanwhile(found[key])
    return [payments.change_payment(found[key], **fields) for key in seen]


def what_would_change(rows: Sequence[Any], fields: Mapping[str, Any]) -> list[Change]:
    """What `change_together` would do to these rows of the register. InvalidInput as it would raise it."""
    clean = payments.cleaned(fields)
    if not clean:
        raise InvalidInput("Fill in what is to change; what you leave empty stays as it is.")
    return [_change_of(row, clean) for row in rows]


def _change_of(row: Any, clean: dict[str, Any]) -> Change:
    differs = {
        name: (getattr(row, name), value) for name, value in clean.items() if getattr(row, name) != value
    }
    after = SimpleNamespace(**{**row._mapping, **clean})  # noqa: SLF001 - a Row's own name for itself as a dict
    return Change(row, differs, status.state_of(after, clock.today()))


def last_writer(payment: PaymentInfo) -> str:
    """The name of whoever changed it last."""
    wanted = log.LogFilter(target_type="payment_info", target_id=str(payment.id))
    newest = log.entries(wanted, before_id=None, size=1)
    return newest[0].actor_name if newest else "Somebody else"


def moment_of(seen: str) -> datetime:
    """The version that a page names."""
    try:
        moment = datetime.fromisoformat(seen.strip())
    except ValueError:
        raise InvalidInput(READ_AGAIN) from None
    if moment.tzinfo is None:
        raise InvalidInput(READ_AGAIN)
    return moment


def _locked(keys: list[int]) -> dict[int, PaymentInfo]:
    """These payments as they are now. In one order, so that two people can't wait for each other."""
    if len(keys) > register_queries.MOST_AT_ONCE:
        raise InvalidInput(f"At most {register_queries.MOST_AT_ONCE} payments can be changed at once.")
    query = select(PaymentInfo).where(PaymentInfo.id.in_(keys)).order_by(PaymentInfo.id)
    fresh = query.with_for_update(of=PaymentInfo).execution_options(populate_existing=True)
    return {payment.id: payment for payment in db.session.scalars(fresh)}
