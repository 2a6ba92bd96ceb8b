"""JSON of answers: what orjson writes, and what only the standard library does, means the same."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from flask import jsonify
from flask_babel import lazy_gettext
from markupsafe import Markup

from app.foundation.json_answers import written

EAST = timezone(timedelta(hours=5, minutes=30))
MOMENT = datetime(2026, 11, 25, 1, 2, 3, 450, UTC)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (MOMENT, "2026-11-25T01:02:03.000450+00:00"),
        (MOMENT.replace(microsecond=0, tzinfo=EAST), "2026-11-25T01:02:03+05:30"),
        (date(2026, 2, 28), "2026-02-28"),
        (Decimal("6.00"), "6.00"),
        (Markup("<b>"), "<b>"),
        (lazy_gettext("Name"), "Name"),
        ("Größe \u2028 </script>", "Größe \u2028 </script>"),
    ],
)
def test_a_value_is_told_the_same_whoever_writes_it(context, value, told):
    """A number as a key, or one of more than 64 bits, is left to the standard library."""
    for written_by in ({"value": value}, {"value": value, "else": {1: 2**70}}):
        assert json.loads(written(written_by))["value"] == told


def test_half_a_pair_of_utf_16_is_written(context):
    assert json.loads(written({"message": "\ud800"})) == {"message": "\ud800"}


def test_jsonify_is_written_so(app):
    with app.test_request_context():
        answer = jsonify(one=MOMENT, two=[1])
    assert answer.mimetype == "application/json"
    assert answer.get_data() == b'{"one":"2026-11-25T01:02:03.000450+00:00","two":[1]}\n'
