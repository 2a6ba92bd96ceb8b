"""A re-import of our own export changes nothing, whatever stands in the register."""

from datetime import date

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from app.foundation.database import db
from app.foundation.schemas import UNFIT, no_card_number
from app.inventory import operations as inventory
from app.payments import exporting, importing, queries
from app.payments import operations as payments
from app.payments.filters import RegisterFilter
from app.payments.import_models import ImportRow


def is_kept(text: str) -> bool:
    """Whether the portal would keep this text."""
    try:
        no_card_number(text)
    except ValidationError:
        return False
    return bool(text.strip()) and not UNFIT.search(text) and len(text) <= 100


TRICKY = st.sampled_from(
    ["=1+1", "+49 89", "-5", "@me", "'quoted", "'=x", "0042", "1e5", "TRUE", "31/12/2031", "_x0041_"]
)
TEXT = st.one_of(
    TRICKY, st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
).filter(is_kept)
DAY = st.dates(date(2027, 1, 1), date(2060, 12, 31))
PAYMENT = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.decimals(0, 999_999_999_999, places=2),
        "currency": st.sampled_from(["USD", "EUR", "CHF"]),
        "cardholder_name": TEXT,
        "card_last4": st.from_regex("[0-9]{4}", fullmatch=True),
        "expiry_date": DAY,
        "payment_method": TEXT,
        "renewal_frequency": st.sampled_from(["monthly", "yearly", "one_off", "every_7_months"]),
        "next_renewal_date": DAY,
        "auto_renew": st.booleans(),
        "notice_days": st.integers(0, 3_650),
    },
)
NAMES = st.lists(TEXT, min_size=15, max_size=15, unique_by=lambda text: " ".join(text.split()).casefold())


@pytest.mark.parametrize("clear_blanks", [False, True])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_our_own_export_changes_nothing(context, world, kind, clear_blanks):
    """Also where a blank cell would empty the field, since a blank cell is an empty field here."""

    @settings(
        max_examples=4,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(service=TEXT, names=NAMES, known=st.lists(PAYMENT, min_size=15, max_size=15))
    def check(service, names, known):
        try:
            thing = inventory.create_service(name=f"{service} 1")
            for name, fields in zip(names, known, strict=True):
                product = inventory.create_product(service_id=thing.id, name=name)
                payments.change_payment(queries.payment_of(product.id), **fields)
            with exporting.export(kind, RegisterFilter()) as file:
                content = file.read()
            run = importing.receive(f"register.{kind}", content)
            importing.start_check(run, importing.guess(run.look["columns"]), clear_blanks=clear_blanks)
            importing.check(run.id)
            different = db.session.execute(
                db.select(ImportRow.kind, ImportRow.before, ImportRow.after, ImportRow.faults).where(
                    ImportRow.run_id == run.id, ImportRow.kind != "unchanged"
                )
            ).all()
            assert different == []
            assert run.counts["unchanged"] == 5 + len(names)
        finally:
            db.session.rollback()

    check()
